//! A package's signature: where it is, what it says, and whether it holds.
//!
//! The signature is minisign's, and so are the files with keys. What minisign keeps in a file of its own lies in a
//! [`Footer`] here, the last page of the package, so that the two cannot be parted. squashfs and erofs say in their
//! superblocks where they end, and do not look beyond.
//!
//! ```text
//! | package, a whole number of 4 KiB pages        | footer, 4 KiB                                     |
//! |<------------- signature covers ------------->| magic version lengths key-id signature comment ... |
//!                                                                              |<----- global ----->|
//! ```
//!
//! It is minisign's first form, `Ed` (`minisign -S -l`): the package itself is the message of ed25519. The later form, `ED`,
//! signs the BLAKE2b hash of a file in its place, so that whoever signs need not read it twice. A device never signs, and
//! would need a second hash for it; ed25519 has one. `minisign -V` takes either.
//!
//! The master's guards and `rocker-pack` run the same code. It allocates nothing, opens nothing and cannot panic.
//!
//! Curve and hash are our own. Those of the crates that everybody uses are made to be fast and to keep secrets, for 3.4 KB
//! more; a check knows no secret, and reading a package takes longer than all the rest. Tests hold ours against theirs.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod base64;
mod check;
mod curve;
mod field;
mod footer;
mod public_key;
mod registers;
mod scalar;
mod sha512;
mod words;

#[cfg(test)]
mod tests;

pub use check::Check;
pub use footer::{COMMENT_MAX, Footer, PAGE, Unsigned};
pub use public_key::{KEY_FILE_MAX, KeyId, NoKey, PublicKey};

/// The algorithm that this is about: the message is the package itself.
pub const ALGORITHM: [u8; 2] = *b"Ed";

/// An ed25519 signature.
pub type Signature = [u8; 64];
