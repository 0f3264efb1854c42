//! `Footer`: the last page of a signed package.

use crate::{ALGORITHM, Check, KeyId, PublicKey, Signature};

/// How long a footer is, and what a package's length is a multiple of. Loop devices of a file that is no whole number of
/// pages use smaller blocks, which costs speed.
pub const PAGE: usize = 4096;

/// The longest trusted comment, in bytes.
pub const COMMENT_MAX: usize = PAGE - COMMENT;

/// Ends in what no text and no file name has, so that nothing else ends in a page that starts so.
const MAGIC: [u8; 8] = *b"rkrsig\x1a\n";
const VERSION: u16 = 1;

// Where each field is. Numbers are little-endian; what is left of the page after the comment is zero.
const SIGNED: usize = 16;
const KEY: usize = 26;
const SIGNATURE: usize = 34;
const GLOBAL: usize = 98;
const COMMENT: usize = 162;

/// A package's signature. Having one proves that the page is well-formed and belongs to a package of this length; it does
/// not prove that the signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer<'a> {
    /// How many bytes of the file are signed: all that come before the footer.
    pub signed: u64,
    /// Which key is said to have made it.
    pub key: &'a KeyId,
    /// Of the package.
    pub signature: &'a Signature,
    /// Of the signature and the trusted comment.
    pub global: &'a Signature,
    /// What the signer had to say of it, in UTF-8.
    pub comment: &'a [u8],
}

/// Why there is no footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// The page is something else: nobody has signed this, or it is cut off.
    Missing,
    /// It starts as a footer and contradicts itself or the file; or it is of a version that we do not know.
    Damaged,
}

impl<'a> Footer<'a> {
    /// Reads the page that follows the first `signed` bytes of a file.
    ///
    /// # Errors
    /// There is no footer, or none that can be believed.
    pub fn decode(page: &'a [u8; PAGE], signed: u64) -> Result<Self, Unsigned> {
        if !page.starts_with(&MAGIC) {
            return Err(Unsigned::Missing);
        }
        Self::fields(page)
            .filter(|footer| footer.signed == signed)
            .ok_or(Unsigned::Damaged)
    }

    fn fields(page: &'a [u8; PAGE]) -> Option<Self> {
        let version = u16::from_le_bytes(*array_at(page, 8)?);
        let length = u16::from_le_bytes(*array_at(page, 10)?);
        let reserved: &[u8; 4] = array_at(page, 12)?;
        let algorithm: &[u8; 2] = array_at(page, 24)?;
        let (comment, rest) = page.get(COMMENT..)?.split_at_checked(length.into())?;
        let is_ours = version == VERSION && *reserved == [0; 4] && *algorithm == ALGORITHM;
        if !is_ours || rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Self {
            signed: u64::from_le_bytes(*array_at(page, SIGNED)?),
            key: array_at(page, KEY)?,
            signature: array_at(page, SIGNATURE)?,
            global: array_at(page, GLOBAL)?,
            comment,
        })
    }

    /// Is the comment what was signed together with the signature?
    pub fn comment_holds(&self, key: &PublicKey) -> bool {
        let mut check = Check::new(key, self.global);
        check.absorb(self.signature);
        check.absorb(self.comment);
        check.holds()
    }

    /// The page. `None`: the comment is too long for it.
    pub fn encode(&self) -> Option<[u8; PAGE]> {
        let length = u16::try_from(self.comment.len()).ok()?;
        let mut page = [0; PAGE];
        put(&mut page, 0, &MAGIC)?;
        put(&mut page, 8, &VERSION.to_le_bytes())?;
        put(&mut page, 10, &length.to_le_bytes())?;
        put(&mut page, SIGNED, &self.signed.to_le_bytes())?;
        put(&mut page, 24, &ALGORITHM)?;
        put(&mut page, KEY, self.key)?;
        put(&mut page, SIGNATURE, self.signature)?;
        put(&mut page, GLOBAL, self.global)?;
        put(&mut page, COMMENT, self.comment)?;
        Some(page)
    }
}

#[inline(always)] // with a place that is known, nothing is left of it
fn array_at<const N: usize>(page: &[u8; PAGE], at: usize) -> Option<&[u8; N]> {
    page.get(at..)?.first_chunk()
}

fn put(page: &mut [u8; PAGE], at: usize, bytes: &[u8]) -> Option<()> {
    let end = at.checked_add(bytes.len())?;
    page.get_mut(at..end)?.copy_from_slice(bytes);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Footer<'static> {
        Footer {
            signed: 8192,
            key: b"key-id!!",
            signature: &[1; 64],
            global: &[2; 64],
            comment: b"timestamp:1\tfile:app.sqfs",
        }
    }

    #[test]
    fn decode_gives_back_what_encode_wrote() {
        assert_eq!(
            Footer::decode(&sample().encode().unwrap(), 8192),
            Ok(sample())
        );
        let comment = [b'x'; COMMENT_MAX];
        let full = Footer {
            comment: &comment,
            ..sample()
        };
        assert_eq!(Footer::decode(&full.encode().unwrap(), 8192), Ok(full));
        let comment = [b'x'; COMMENT_MAX + 1];
        assert_eq!(
            Footer {
                comment: &comment,
                ..sample()
            }
            .encode(),
            None
        );
    }

    #[test]
    fn a_page_that_is_no_footer_is_missing_one() {
        assert_eq!(Footer::decode(&[0; PAGE], 8192), Err(Unsigned::Missing));
        for at in 0..8 {
            let mut page = sample().encode().unwrap();
            page[at] ^= 1;
            assert_eq!(
                Footer::decode(&page, 8192),
                Err(Unsigned::Missing),
                "byte {at}"
            );
        }
    }

    #[test]
    fn a_footer_of_another_file_is_refused() {
        let page = sample().encode().unwrap();
        for signed in [0, 4096, 8191, 8193, 12288, u64::MAX] {
            assert_eq!(
                Footer::decode(&page, signed),
                Err(Unsigned::Damaged),
                "{signed}"
            );
        }
    }

    /// Key, signatures and comment may be any bytes; the signatures are there to tell.
    #[test]
    fn every_other_change_of_one_byte_is_damage() {
        let end = COMMENT + sample().comment.len();
        for at in (8..KEY).chain(end..PAGE) {
            for bit in 0..8 {
                let mut page = sample().encode().unwrap();
                page[at] ^= 1 << bit;
                let decoded = Footer::decode(&page, 8192);
                let is_comment_length = (10..12).contains(&at)
                    && decoded.is_ok_and(|footer| footer.comment != sample().comment);
                assert!(
                    decoded == Err(Unsigned::Damaged) || is_comment_length,
                    "bit {bit} of byte {at}: {decoded:?}"
                );
            }
        }
    }
}
