//! `Minisig`: a signature in a file of its own, as minisign writes and reads it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rocker_signature::{ALGORITHM, Footer, KeyId, Signature};

const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// What a [`Footer`] says, but for the length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Minisig {
    pub(super) key: KeyId,
    pub(super) signature: Signature,
    pub(super) global: Signature,
    pub(super) comment: String,
}

impl Minisig {
    pub(super) fn footer(&self, signed: u64) -> Footer<'_> {
        Footer {
            signed,
            key: &self.key,
            signature: &self.signature,
            global: &self.global,
            comment: self.comment.as_bytes(),
        }
    }

    /// The file.
    pub(super) fn encode(&self) -> String {
        let line = [&ALGORITHM[..], &self.key, &self.signature].concat();
        format!(
            "{UNTRUSTED}signature from rocker-pack secret key\n{}\n{TRUSTED}{}\n{}\n",
            BASE64_STANDARD.encode(line),
            self.comment,
            BASE64_STANDARD.encode(self.global),
        )
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn decode(text: &str) -> Result<Self, &'static str> {
        let malformed = "is no signature of minisign's";
        let mut lines = text.lines();
        let mut line = |prefix| lines.next()?.strip_prefix(prefix);
        let (_, signature) = (
            line(UNTRUSTED).ok_or(malformed)?,
            line("").ok_or(malformed)?,
        );
        let (comment, global) = (line(TRUSTED).ok_or(malformed)?, line("").ok_or(malformed)?);
        let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| malformed);
        let (signature, global) = (bytes(signature)?, bytes(global)?);
        let (algorithm, rest) = signature.split_first_chunk().ok_or(malformed)?;
        match algorithm {
            &ALGORITHM => {}
            b"ED" => return Err("signs the hash of the package; make one with 'minisign -S -l'"),
            _ => return Err(malformed),
        }
        let (key, signature) = rest.split_first_chunk().ok_or(malformed)?;
        Ok(Self {
            key: *key,
            signature: signature.try_into().map_err(|_| malformed)?,
            global: global.try_into().map_err(|_| malformed)?,
            comment: comment.into(),
        })
    }
}
