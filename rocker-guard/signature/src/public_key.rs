//! `PublicKey`: a key as minisign writes it.

use crate::{ALGORITHM, base64, curve};

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

/// Why there is no key in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The file is something else.
    Malformed,
    /// Nobody has its secret half, and who needs none can sign for it; or it is another way to write a key.
    Forgeable,
}

impl PublicKey {
    /// Reads a file of minisign: a line of comment, and a last line of base64. The comment may be missing.
    ///
    /// # Errors
    /// There is none in it, or none that proves anything.
    pub fn parse(file: &[u8]) -> Result<Self, NoKey> {
        let key = Self::read(file).ok_or(NoKey::Malformed)?;
        if key.is_sound() {
            Ok(key)
        } else {
            Err(NoKey::Forgeable)
        }
    }

    fn read(file: &[u8]) -> Option<Self> {
        let (comment, key) = file.trim_ascii_end().split_last_chunk::<56>()?;
        let is_line = comment.last().is_none_or(|byte| *byte == b'\n');
        Self::from_bytes(&base64::decode(key).filter(|_| is_line)?)
    }

    /// Is it a point, written as points are, and not one of those with which a signature says nothing of its message?
    fn is_sound(&self) -> bool {
        curve::read(&self.point).is_some_and(|point| !curve::has_small_order(&point))
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
    use curve25519_dalek::edwards::CompressedEdwardsY;

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
            let refusal = PublicKey::parse(file.as_bytes());
            assert_eq!(refusal, Err(NoKey::Malformed), "{file:?}");
        }
    }

    /// A number of 255 bits and the sign, from the lowest byte.
    fn point(low: u8, middle: u8, high: u8) -> [u8; 32] {
        let mut point = [middle; 32];
        (point[0], point[31]) = (low, high);
        point
    }

    fn is_refused(point: [u8; 32]) -> bool {
        let text = base64_of(&[&ALGORITHM[..], b"key-id!!", &point].concat());
        PublicKey::parse(text.as_bytes()) == Err(NoKey::Forgeable)
    }

    fn base64_of(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let groups = bytes.as_chunks::<3>().0.iter();
        let letters = groups.flat_map(|&[a, b, c]| {
            let bits = u32::from_be_bytes([0, a, b, c]);
            [18, 12, 6, 0].map(|shift| char::from(LETTERS[(bits >> shift & 63) as usize]))
        });
        letters.collect()
    }

    /// y of a point of order 8 (libsodium's and others' lists have it), and its negative.
    const EIGHTH: [[u8; 32]; 2] = [
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
    ];

    /// Every way to write the points whose order is at most 8: with y 0, 1, -1, p, p + 1 and the two above, and either sign.
    fn points_of_small_order() -> Vec<[u8; 32]> {
        let written = [
            point(0, 0, 0),
            point(1, 0, 0),
            point(0xec, 0xff, 0x7f),
            point(0xed, 0xff, 0x7f),
            point(0xee, 0xff, 0x7f),
        ];
        let signs = |[start @ .., high]: [u8; 32]| {
            [high, high | 0x80].map(|high| {
                let mut point = [0; 32];
                point[..31].copy_from_slice(&start);
                point[31] = high;
                point
            })
        };
        written.into_iter().chain(EIGHTH).flat_map(signs).collect()
    }

    #[test]
    fn keys_for_which_anybody_can_sign_are_refused() {
        let points = points_of_small_order();
        assert_eq!(points.len(), 14);
        for point in points {
            let order = CompressedEdwardsY(point).decompress().unwrap();
            assert!(order.is_small_order(), "not in the list: {point:x?}");
            assert!(is_refused(point), "{point:x?}");
        }
    }

    /// From p to 2^255 - 1: each is the same as a number from 0 to 18.
    #[test]
    fn another_way_to_write_a_key_is_refused() {
        let mut keys = 0;
        for low in 0..19 {
            for sign in [0, 0x80] {
                let (clean, alias) = (point(low, 0, sign), point(0xed + low, 0xff, 0x7f | sign));
                keys += u32::from(!is_refused(clean));
                assert!(is_refused(alias), "{low} {sign}");
            }
        }
        // Half of all numbers are points: of those, these are keys.
        assert!((10..30).contains(&keys), "{keys}");
    }

    #[test]
    fn what_is_no_point_is_refused() {
        assert_eq!(CompressedEdwardsY(point(2, 0, 0)).decompress(), None);
        assert!(is_refused(point(2, 0, 0)));
    }
}
