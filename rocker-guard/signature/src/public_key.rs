//! `PublicKey`: a key as minisign writes it.

use crate::{ALGORITHM, base64};

/// More bytes than a file with a key has: a comment of some hundred, and 56 letters.
pub const KEY_FILE_MAX: usize = 512;

/// Which key it is: a random number, chosen with it. It finds the key for a signature, and proves nothing.
pub type KeyId = [u8; 8];

/// A public key; whether it is trusted depends on where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name in signatures.
    pub id: KeyId,
    /// The ed25519 key.
    pub point: [u8; 32],
}

impl PublicKey {
    /// Reads a file of minisign: a line of comment, and a last line of base64. The comment may be missing.
    pub fn parse(file: &[u8]) -> Option<Self> {
        let (comment, key) = file.trim_ascii_end().split_last_chunk::<56>()?;
        let is_line = comment.last().is_none_or(|byte| *byte == b'\n');
        Self::from_bytes(&base64::decode(key).filter(|_| is_line)?)
    }

    /// Algorithm, id and key.
    fn from_bytes(bytes: &[u8; 42]) -> Option<Self> {
        let (algorithm, rest) = bytes.split_first_chunk()?;
        let (id, point) = rest.split_first_chunk()?;
        (*algorithm == ALGORITHM).then_some(Self {
            id: *id,
            point: point.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key in minisign's own documentation.
    const LINE: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn the_files_of_minisign_are_read() {
        let id = [0x1f, 0xe8, 0xb4, 0x42, 0x18, 0x0f, 0x62, 0xe7];
        for file in [
            format!("untrusted comment: minisign public key E7620F1842B4E81F\n{LINE}\n"),
            format!("untrusted comment: \r\n{LINE}\r\n"),
            LINE.to_owned(),
        ] {
            let key = PublicKey::parse(file.as_bytes()).unwrap();
            assert_eq!(
                (key.id, key.point[0], key.point[31]),
                (id, 0x79, 0xb7),
                "{file:?}"
            );
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let signature = LINE.replacen("RWQ", "RUQ", 1);
        for file in [
            "",
            "untrusted comment: nothing\n",
            &LINE[..55],
            &format!("{LINE}A"),
            &format!("untrusted comment: {LINE}"),
            &signature,
        ] {
            assert_eq!(PublicKey::parse(file.as_bytes()), None, "{file:?}");
        }
    }
}
