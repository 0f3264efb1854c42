//! Signed packages, with minisign's keys and signatures. What a signature is, [`rocker_signature`] says.

mod key_pair;
mod minisig;
mod package;

pub use key_pair::{SecretKey, generate, read_public_key};
pub use package::{Signed, attach, detached_path, sign, sign_detached, verify, verify_detached};
pub(crate) use package::{Tail, id_text};
