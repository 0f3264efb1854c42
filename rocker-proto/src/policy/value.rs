//! `Kind`: what may stand behind a key.

use super::SANDBOXES_MAX;
use crate::limits::ID_MAX;
use crate::request::is_path;

/// One kind of value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Permissions, in the way of chmod(1).
    Mode,
    Id,
    YesNo,
    Count,
    /// In KiB, as the command line has it.
    Size,
    Ids,
    Path,
    Filter,
}

impl Kind {
    /// The value as a number; of ids and paths, of which a section may have several, only whether it is one.
    pub(super) fn read(self, text: &[u8]) -> Option<u32> {
        let (least, most) = match self {
            Self::Mode => return number(text, 8).filter(|mode| *mode <= 0o777),
            Self::Size => return size(text),
            Self::Ids => return Ids::of(text).map(|_| 0),
            Self::Filter if text == b"off" => return Some(0),
            Self::Path | Self::Filter => return is_plain(text).then_some(0),
            Self::YesNo if text == b"yes" => return Some(1),
            Self::YesNo => return (text == b"no").then_some(0),
            Self::Id => (0, ID_MAX),
            Self::Count => (1, SANDBOXES_MAX),
        };
        number(text, 10).filter(|number| least <= *number && *number <= most)
    }

    /// In words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Mode => "a mode from 0 to 0777",
            Self::Id => "a number, as names are not looked up",
            Self::YesNo => "yes or no",
            Self::Count => "a number from 1 to 4096",
            Self::Size => "a size as 512K, 16M or 1G",
            Self::Ids => "N or N-M, above 0",
            Self::Filter => "off, or an absolute path",
            Self::Path => "an absolute path without . and .. and empty parts",
        }
    }
}

/// A range of ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    first: u32,
    last: u32,
}

impl Ids {
    pub(super) const ROOT: Self = Self { first: 0, last: 0 };

    /// `N` or `N-M`. Root is in no range.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let dash = text.iter().position(|byte| *byte == b'-');
        let (first, last) = text.split_at_checked(dash.unwrap_or(text.len()))?;
        let first = number(first, 10)?;
        let last = match last {
            [] => first,
            [_, last @ ..] => number(last, 10)?,
        };
        let is_range = 1 <= first && first <= last && last <= ID_MAX;
        is_range.then_some(Self { first, last })
    }

    pub(super) fn contain(&self, id: u32) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

/// With its unit, as a bare number would mean bytes to one reader and KiB to the next.
fn size(text: &[u8]) -> Option<u32> {
    let (unit, digits) = text.split_last()?;
    let shift = match unit {
        b'K' => 0,
        b'M' => 10,
        b'G' => 20,
        _ => return None,
    };
    let size = number(digits, 10)?.checked_mul(1 << shift)?;
    (size > 0).then_some(size)
}

/// Digits alone: no sign, no blank, nothing that does not fit.
fn number(text: &[u8], base: u32) -> Option<u32> {
    let mut value = (!text.is_empty()).then_some(0u32)?;
    for byte in text {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        value = value.checked_mul(base)?;
        value = value.checked_add(digit).filter(|_| digit < base)?;
    }
    Some(value)
}

fn is_plain(path: &[u8]) -> bool {
    let is_clean = path == b"/" || is_path(path);
    is_clean && !path.iter().any(u8::is_ascii_control)
}
