//! `SecretKey`: the files of keys, as minisign writes and reads them.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign_byupdate};
use ed25519_dalek::{SignatureError, SigningKey};
use minisign::{KeyPair, SecretKeyBox};
use rocker_signature::{KeyId, NoKey, PublicKey, Signature};
use sha2::{Digest, Sha512};

use super::id_text;
use crate::error::{Context, Error, Result};

/// Where the encryption, the id and the key are in the bytes of a secret key: the latter after algorithms, salt and the
/// limits of scrypt.
const KDF: usize = 2;
const ID: usize = 54;
const SEED: usize = 62;

/// A key to sign with.
pub struct SecretKey {
    id: KeyId,
    key: SigningKey,
}

impl SecretKey {
    /// Reads a file that minisign or [`generate`] wrote; `password` is asked for if the key is encrypted.
    ///
    /// # Errors
    /// It cannot be read, is no secret key, or the password is wrong.
    pub fn read(path: &Path, password: impl FnOnce() -> Result<String>) -> Result<Self> {
        let text = fs::read_to_string(path).context("read", path)?;
        let refused = |reason: String| Error::Refused {
            path: path.into(),
            reason,
        };
        let no_key = || refused("is no secret key of minisign's".into());
        let line = text.lines().nth(1).ok_or_else(no_key)?;
        let mut bytes = BASE64_STANDARD.decode(line).map_err(|_| no_key())?;
        // minisign leaves out the checksum of a key that is not encrypted, which the crate would not have.
        if bytes.get(KDF..KDF + 2).ok_or_else(no_key)? != [0; 2] {
            let key = SecretKeyBox::from(text).into_secret_key(Some(password()?));
            let key = key.map_err(|error| refused(format!("does not open: {error}")))?;
            bytes = key.to_bytes();
        }
        Self::from_bytes(&bytes).ok_or_else(no_key)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let seed = bytes.get(SEED..)?.first_chunk()?;
        let key = SigningKey::from_bytes(seed);
        let public = bytes.get(SEED + 32..)?.first_chunk()?;
        (key.verifying_key().as_bytes() == public).then_some(Self {
            id: *bytes.get(ID..)?.first_chunk()?,
            key,
        })
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        PublicKey {
            id: self.id,
            point: self.key.verifying_key().to_bytes(),
        }
    }

    /// Signs what `message` gives, which is asked twice and must give the same. Like every ed25519 signature it is the same
    /// for the same message.
    pub(super) fn sign(
        &self,
        message: impl Fn(&mut dyn FnMut(&[u8])) -> io::Result<()>,
    ) -> io::Result<Signature> {
        let failed = RefCell::new(None);
        let update = |hash: &mut Sha512| {
            message(&mut |piece| hash.update(piece)).map_err(|error| {
                failed.replace(Some(error));
                SignatureError::new()
            })
        };
        let secret = ExpandedSecretKey::from(&self.key.to_bytes());
        let signed = raw_sign_byupdate::<Sha512, _>(&secret, update, &self.key.verifying_key());
        signed
            .map(|signature| signature.to_bytes())
            .map_err(|error| failed.take().unwrap_or_else(|| io::Error::other(error)))
    }
}

/// Makes a pair of keys and writes it to two files; the secret one, which nobody else may read, is encrypted if there is a
/// password. Gives the public one.
///
/// # Errors
/// A file cannot be written; without `force`, one that exists is not replaced.
pub fn generate(
    public: &Path,
    secret: &Path,
    password: Option<String>,
    force: bool,
) -> Result<PublicKey> {
    let encrypted = password.is_some();
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let failed = |error: minisign::PError| Error::Options(format!("no key could be made: {error}"));
    let pair = pair.map_err(failed)?;
    let kind = if encrypted { "encrypted " } else { "" };
    let comment = format!("rocker-pack {kind}secret key");
    let secret_text = pair
        .sk
        .to_box(Some(&comment))
        .map_err(failed)?
        .into_string();
    let public_text = pair.pk.to_box().map_err(failed)?.into_string();
    write(secret, &secret_text, 0o600, force)?;
    write(public, &public_text, 0o644, force)?;
    let key = read_public_key(public)?;
    debug_assert!(public_text.contains(&id_text(&key.id)));
    Ok(key)
}

/// A file that is created with its mode, so that nobody can open it before.
fn write(path: &Path, text: &str, mode: u32, force: bool) -> Result<()> {
    if force && path.is_file() {
        fs::remove_file(path).context("replace", path)?;
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = file.context("create", path)?;
    file.write_all(text.as_bytes()).context("write", path)?;
    file.write_all(b"\n").context("write", path)?;
    file.sync_all().context("sync", path)
}

/// Reads a public key.
///
/// # Errors
/// The file cannot be read, or is no public key, or one that proves nothing.
pub fn read_public_key(path: &Path) -> Result<PublicKey> {
    let mut bytes = Vec::new();
    let file = File::open(path).context("open", path)?;
    file.take(4096)
        .read_to_end(&mut bytes)
        .context("read", path)?;
    PublicKey::parse(&bytes).map_err(|reason| Error::Refused {
        path: path.into(),
        reason: match reason {
            NoKey::Malformed => "is no public key of minisign's".into(),
            NoKey::Forgeable => "holds a key that proves nothing: anybody can sign for it".into(),
        },
    })
}
