//! Signing a package and checking it: in its footer, or in a file beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rocker_signature::{Check, Footer, KeyId, PAGE, PublicKey, Unsigned};

use super::SecretKey;
use super::minisig::Minisig;
use crate::error::{Context, Error, Result};
use crate::inspect::examine;
use crate::output::Output;

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The id of its key, as minisign prints it.
    pub key: String,
    /// What the signer had to say.
    pub comment: String,
}

/// An id as minisign prints it.
pub(crate) fn id_text(id: &KeyId) -> String {
    format!("{:016X}", u64::from_le_bytes(*id))
}

/// Signs a package, in the place of a signature that it may have. It is replaced as a whole, or stays as it is.
///
/// # Errors
/// It is no package, or no whole number of pages long; the comment does not fit; a file cannot be written.
pub fn sign(package: &Path, secret: &SecretKey, comment: &str) -> Result<()> {
    let unsigned = Content::of(package)?;
    let minisig = unsigned.sign(secret, comment)?;
    unsigned.publish_with(&minisig)
}

/// Signs a package, without its footer if it has one, and writes the signature beside it.
///
/// # Errors
/// As [`sign`], except that the length may be any.
pub fn sign_detached(package: &Path, secret: &SecretKey, comment: &str) -> Result<PathBuf> {
    let unsigned = Content::of(package)?;
    let minisig = unsigned.sign(secret, comment)?;
    let path = detached_path(package);
    let mut output = Output::replace(&path)?;
    let written = output.file.write_all(minisig.encode().as_bytes());
    written.context("write", &path)?;
    output.publish()?;
    Ok(path)
}

/// Where minisign has the signature of a file.
pub fn detached_path(package: &Path) -> PathBuf {
    let mut name = package.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

/// Takes a signature that minisign made (`minisign -S -l`) into the package, if it holds.
///
/// # Errors
/// As [`sign`] and [`verify_detached`].
pub fn attach(package: &Path, signature: &Path, keys: &[PublicKey]) -> Result<Signed> {
    let unsigned = Content::of(package)?;
    let minisig = read_minisig(signature)?;
    let signed = unsigned.check(&minisig.footer(unsigned.tail.length), keys)?;
    unsigned.publish_with(&minisig)?;
    Ok(signed)
}

/// Checks a package as a device does that trusts these keys.
///
/// # Errors
/// It is not signed, or not by any of the keys, or it is not what was signed.
pub fn verify(package: &Path, keys: &[PublicKey]) -> Result<Signed> {
    let content = Content::of(package)?;
    let footer = content
        .tail
        .footer()
        .ok_or_else(|| refused(package, "is not signed"))?;
    let footer = footer.map_err(|_| refused(package, "has a damaged signature"))?;
    content.check(&footer, keys)
}

/// Checks a package by the signature beside it.
///
/// # Errors
/// As [`verify`].
pub fn verify_detached(package: &Path, signature: &Path, keys: &[PublicKey]) -> Result<Signed> {
    let content = Content::of(package)?;
    let minisig = read_minisig(signature)?;
    content.check(&minisig.footer(content.tail.length), keys)
}

/// The end of a package: its last page, if that is a footer.
pub(crate) struct Tail {
    /// How much of the package comes before it: what is signed, or to be signed.
    length: u64,
    /// The footer, good or damaged, if there is one.
    page: Option<Box<[u8; PAGE]>>,
}

impl Tail {
    pub(crate) fn read(file: &File, size: u64) -> io::Result<Self> {
        let without = Self {
            length: size,
            page: None,
        };
        let Some(length) = size.checked_sub(PAGE as u64) else {
            return Ok(without);
        };
        let mut page = Box::new([0; PAGE]);
        file.read_exact_at(&mut page[..], length)?;
        Ok(match Footer::decode(&page, length) {
            Err(Unsigned::Missing) => without,
            _ => Self {
                length,
                page: Some(page),
            },
        })
    }

    fn footer(&self) -> Option<std::result::Result<Footer<'_>, Unsigned>> {
        let page = self.page.as_deref()?;
        Some(Footer::decode(page, self.length))
    }

    /// What it says of its key and its comment, without a check.
    pub(crate) fn signature(&self) -> Option<Signed> {
        Some(match self.footer()? {
            Ok(footer) => said_by(&footer),
            Err(_) => Signed {
                key: "unknown".into(),
                comment: "damaged".into(),
            },
        })
    }
}

fn said_by(footer: &Footer<'_>) -> Signed {
    Signed {
        key: id_text(footer.key),
        comment: String::from_utf8_lossy(footer.comment).into_owned(),
    }
}

fn refused(path: &Path, reason: impl Into<String>) -> Error {
    Error::Refused {
        path: path.into(),
        reason: reason.into(),
    }
}

fn read_minisig(path: &Path) -> Result<Minisig> {
    let text = fs::read_to_string(path).context("read", path)?;
    Minisig::decode(&text).map_err(|reason| refused(path, reason))
}

/// An open package, and what of it is signed or to be signed.
struct Content {
    path: PathBuf,
    file: File,
    tail: Tail,
}

impl Content {
    /// What was inspected is what is signed: the file is opened once.
    fn of(path: &Path) -> Result<Self> {
        let (inspection, file, tail) = examine(path)?;
        if inspection.is_truncated() {
            return Err(refused(path, "is cut off"));
        }
        Ok(Self {
            path: fs::canonicalize(path).context("open", path)?,
            file,
            tail,
        })
    }

    /// Gives all that is signed, in pieces.
    fn read(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut piece = vec![0; 1 << 20];
        let mut at = 0;
        while at < self.tail.length {
            let room = (self.tail.length - at).min(piece.len() as u64) as usize;
            match self.file.read_at(&mut piece[..room], at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    each(&piece[..read]);
                    at += read as u64;
                }
            }
        }
        Ok(())
    }

    fn sign(&self, secret: &SecretKey, comment: &str) -> Result<Minisig> {
        if comment.contains(['\n', '\r']) {
            return Err(Error::Options("a comment is one line".into()));
        }
        let key = secret.public();
        let signature = secret
            .sign(|each| self.read(each))
            .context("read", &self.path)?;
        let global = secret.sign(|each| {
            each(&signature);
            each(comment.as_bytes());
            Ok(())
        });
        let minisig = Minisig {
            key: key.id,
            signature,
            global: global.context("read", &self.path)?,
            comment: comment.into(),
        };
        // A file that changed meanwhile, or a processor that erred, must not leave here signed.
        self.check(&minisig.footer(self.tail.length), &[key])?;
        Ok(minisig)
    }

    fn check(&self, footer: &Footer<'_>, keys: &[PublicKey]) -> Result<Signed> {
        let key = keys
            .iter()
            .find(|key| key.id == *footer.key)
            .ok_or_else(|| {
                let by = id_text(footer.key);
                refused(&self.path, format!("is signed by another key, {by}"))
            })?;
        let mut check = Check::new(key, footer.signature);
        self.read(&mut |piece| check.absorb(piece))
            .context("read", &self.path)?;
        if !check.holds() {
            return Err(refused(&self.path, "is not what was signed"));
        }
        if !footer.comment_holds(key) {
            return Err(refused(&self.path, "has a comment that was not signed"));
        }
        Ok(said_by(footer))
    }

    /// Copies what is signed to a new file, adds the footer, and gives it the package's name, owner and mode.
    fn publish_with(&self, minisig: &Minisig) -> Result<()> {
        if !self.tail.length.is_multiple_of(PAGE as u64) {
            let reason = "is no whole number of 4 KiB pages long; 'truncate -s %4096' makes it one";
            return Err(refused(&self.path, reason));
        }
        let page = minisig.footer(self.tail.length).encode();
        let page = page.ok_or_else(|| Error::Options("the comment is too long".into()))?;
        let mut output = Output::replace(&self.path)?;
        let mut written = Ok(());
        let copied = self.read(&mut |piece| {
            if written.is_ok() {
                written = output.file.write_all(piece);
            }
        });
        copied.context("read", &self.path)?;
        written.context("write", &self.path)?;
        output.file.write_all(&page).context("write", &self.path)?;
        output.copy_owner_and_mode(&self.file)?;
        output.publish()
    }
}
