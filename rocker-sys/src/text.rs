//! Short texts on the stack: numbers in decimal, and paths put together from pieces.
#![allow(unsafe_code)]

use crate::errno::{Errno, Result};
use core::ffi::CStr;

/// A number in decimal.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: [u8; 10],
    start: usize,
}

impl Decimal {
    /// The digits of this number.
    pub fn of(number: u32) -> Self {
        let mut decimal = Self {
            digits: [0; 10],
            start: 0,
        };
        let mut rest = number;
        for (at, slot) in decimal.digits.iter_mut().enumerate().rev() {
            // The remainder is below 10.
            *slot = b'0'.wrapping_add((rest % 10) as u8);
            decimal.start = at;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        decimal
    }

    /// As text, without leading zeroes.
    // Once, and not wherever a number is written.
    #[inline(never)]
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

/// A decimal number that fits, without sign or spaces.
///
/// Not `str::parse`, which would bring the decoder of UTF-8 along.
pub fn parse_decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u32, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Is it this word? One function for all words: a comparison with a constant is written out wherever it stands, in up to a
/// hundred bytes.
#[inline(never)]
pub fn is(text: &[u8], word: &str) -> bool {
    text == word.as_bytes()
}

/// Which word of a list it is, of words with a space between them.
#[inline(never)]
pub fn position(list: &str, word: &[u8]) -> Option<usize> {
    list.as_bytes()
        .split(|byte| *byte == b' ')
        .position(|known| known == word)
}

/// A path of at most `N - 1` bytes, as system calls take it.
#[derive(Clone, Copy)]
pub struct StackPath<const N: usize>([u8; N]);

impl<const N: usize> core::fmt::Debug for StackPath<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_c_str().fmt(f)
    }
}

impl<const N: usize> StackPath<N> {
    /// The pieces, one after another.
    ///
    /// # Errors
    /// `ENAMETOOLONG`.
    pub fn of(pieces: &[&[u8]]) -> Result<Self> {
        let mut bytes = [0; N];
        if fill(&mut bytes, pieces) {
            Ok(Self(bytes))
        } else {
            Err(Errno::ENAMETOOLONG)
        }
    }

    /// A number in decimal between two pieces.
    ///
    /// # Errors
    /// `ENAMETOOLONG`.
    pub fn numbered(start: &[u8], number: u32, end: &[u8]) -> Result<Self> {
        let mut bytes = [0; N];
        if fill_numbered(&mut bytes, start, number, end) {
            Ok(Self(bytes))
        } else {
            Err(Errno::ENAMETOOLONG)
        }
    }

    /// As the path of a system call.
    pub fn as_c_str(&self) -> &CStr {
        // Not `from_bytes_until_nul`: most callers want no more than the address, and this leaves nothing else of it.
        // SAFETY: `of` and `numbered`, by which alone there is one, leave at least one NUL behind the pieces, and it is borrowed
        // as long as the result.
        unsafe { CStr::from_ptr(self.0.as_ptr().cast()) }
    }
}

/// Puts the pieces one after another; says whether there is room for them and a NUL. One for paths of every length.
#[inline(never)]
fn fill(mut room: &mut [u8], pieces: &[&[u8]]) -> bool {
    for piece in pieces {
        let Some((slot, rest)) = room.split_at_mut_checked(piece.len()) else {
            return false;
        };
        // copy_from_slice would bring its check of the lengths, that is, a panic.
        for (to, from) in slot.iter_mut().zip(*piece) {
            *to = *from;
        }
        room = rest;
    }
    !room.is_empty()
}

#[inline(never)]
fn fill_numbered(room: &mut [u8], start: &[u8], number: u32, end: &[u8]) -> bool {
    fill(room, &[start, Decimal::of(number).as_bytes(), end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        assert_eq!(Decimal::of(0).as_bytes(), b"0");
        assert_eq!(Decimal::of(1090).as_bytes(), b"1090");
        assert_eq!(Decimal::of(u32::MAX).as_bytes(), b"4294967295");
    }

    #[test]
    fn numbers_are_read_strictly() {
        assert_eq!(parse_decimal(b"4294967295"), Some(u32::MAX));
        for bad in [
            &b""[..],
            b"4294967296",
            b"-1",
            b"+1",
            b" 1",
            b"1 ",
            b"0x1",
            b"1000:0",
        ] {
            assert_eq!(parse_decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn paths_fit_with_their_nul_or_not_at_all() {
        let path = StackPath::<8>::of(&[b"/a/", b"", b"bcde"]).unwrap();
        assert_eq!(path.as_c_str(), c"/a/bcde");
        assert_eq!(
            StackPath::<8>::of(&[b"/a/", b"bcdef"]).unwrap_err(),
            Errno::ENAMETOOLONG
        );
        assert_eq!(StackPath::<0>::of(&[]).unwrap_err(), Errno::ENAMETOOLONG);
        let numbered = StackPath::<8>::numbered(b"/d", 42, b"/ns").unwrap();
        assert_eq!(numbered.as_c_str(), c"/d42/ns");
        assert!(StackPath::<8>::numbered(b"/d", 420, b"/ns").is_err());
    }
}
