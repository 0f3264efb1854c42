//! `Entry`: one line of a policy, and `Word`: a piece of it that knows where it stands.

use crate::limits::ID_MAX;
use crate::request::is_path;

/// What is wrong with a policy, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: u32,
    /// In bytes, from 1.
    pub column: u32,
    /// What should stand there.
    pub expected: &'static str,
}

/// A piece of a line.
#[derive(Clone, Copy)]
pub(super) struct Word<'t> {
    pub(super) bytes: &'t [u8],
    line: u32,
    column: u32,
}

/// A line that says something: a key and the rest of the line, in which blanks may stand.
pub(super) struct Entry<'t> {
    pub(super) key: Word<'t>,
    pub(super) value: Word<'t>,
    /// Where the next line starts.
    pub(super) end: usize,
}

impl Entry<'_> {
    /// Does a section start here?
    pub(super) fn is_header(&self) -> bool {
        self.key.bytes.starts_with(b"[")
    }
}

/// The lines of a text from here on, but for those that say nothing.
pub(super) fn entries(text: &[u8], start: usize) -> impl Iterator<Item = Entry<'_>> {
    let (mut at, mut line) = (start, 0u32);
    core::iter::from_fn(move || {
        loop {
            let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
            let bytes = rest.split(|byte| *byte == b'\n').next()?;
            at = at.saturating_add(bytes.len()).saturating_add(1);
            line = line.saturating_add(1);
            if let Some((key, value)) = split(bytes, line) {
                return Some(Entry {
                    key,
                    value,
                    end: at,
                });
            }
        }
    })
}

fn split(line: &[u8], number: u32) -> Option<(Word<'_>, Word<'_>)> {
    let line = without_comment(line).trim_ascii_end();
    let rest = line.trim_ascii_start();
    let key = rest.split(u8::is_ascii_whitespace).next()?;
    let value = rest.get(key.len()..)?.trim_ascii_start();
    // Where the end of the line is as long as `tail`; no line is longer than its text, whose length fits.
    let word = |bytes, tail: &[u8]| Word {
        bytes,
        line: number,
        column: u32::try_from(line.len().saturating_sub(tail.len()))
            .unwrap_or(u32::MAX)
            .saturating_add(1),
    };
    (!key.is_empty()).then_some((word(key, rest), word(value, value)))
}

/// A comment starts a line, or follows a blank: in a path a `#` may stand.
fn without_comment(line: &[u8]) -> &[u8] {
    let mut before = b' ';
    let comment = line.iter().position(|byte| {
        let starts = *byte == b'#' && before.is_ascii_whitespace();
        before = *byte;
        starts
    });
    line.get(..comment.unwrap_or(line.len()))
        .unwrap_or_default()
}

impl Word<'_> {
    /// Something else should stand here.
    pub(super) fn expected(&self, expected: &'static str) -> Mistake {
        Mistake {
            line: self.line,
            column: self.column,
            expected,
        }
    }

    /// Fills the place of a key that may be given once.
    pub(super) fn once(&self, slot: &mut Option<u32>, value: u32) -> Result<(), Mistake> {
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.expected("each such key once")),
        }
    }

    /// Without what stands before it on its line.
    pub(super) fn after(&self, prefix: &[u8]) -> Option<Self> {
        Some(Self {
            bytes: self.bytes.strip_prefix(prefix)?,
            column: self
                .column
                .saturating_add(u32::try_from(prefix.len()).ok()?),
            ..*self
        })
    }

    pub(super) fn yes_or_no(&self) -> Result<u32, Mistake> {
        match self.bytes {
            b"yes" => Ok(1),
            b"no" => Ok(0),
            _ => Err(self.expected("yes or no")),
        }
    }

    /// Permissions, in the way of chmod(1).
    pub(super) fn mode(&self) -> Result<u32, Mistake> {
        number(self.bytes, 8)
            .filter(|mode| *mode <= 0o777)
            .ok_or(self.expected("a mode from 0 to 0777"))
    }

    pub(super) fn id(&self) -> Result<u32, Mistake> {
        number(self.bytes, 10)
            .filter(|id| *id <= ID_MAX)
            .ok_or(self.expected("a number, as names are not looked up"))
    }

    /// How many of something.
    pub(super) fn count(&self) -> Result<u32, Mistake> {
        number(self.bytes, 10)
            .filter(|count| (1..=super::SANDBOXES_MAX).contains(count))
            .ok_or(self.expected("a number from 1 to 4096"))
    }

    /// In KiB, as the command line has it.
    pub(super) fn size(&self) -> Result<u32, Mistake> {
        size(self.bytes).ok_or(self.expected("a size as 512K, 16M or 1G"))
    }

    pub(super) fn ids(&self) -> Result<Ids, Mistake> {
        Ids::of(self.bytes).ok_or(self.expected("N or N-M, above 0"))
    }

    pub(super) fn path(&self) -> Result<(), Mistake> {
        let is_plain = !self.bytes.iter().any(u8::is_ascii_control);
        if is_plain && (self.bytes == b"/" || is_path(self.bytes)) {
            return Ok(());
        }
        Err(self.expected("an absolute path without . and .. and empty parts"))
    }
}

/// A range of ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    first: u32,
    last: u32,
}

impl Ids {
    /// Root.
    pub(super) const ROOT: Self = Self { first: 0, last: 0 };

    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut ends = text.splitn(2, |byte| *byte == b'-');
        let first = number(ends.next()?, 10)?;
        let last = ends.next().map_or(Some(first), |last| number(last, 10))?;
        let is_range = 1 <= first && first <= last && last <= ID_MAX;
        is_range.then_some(Self { first, last })
    }

    pub(super) fn contain(&self, id: u32) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

fn size(text: &[u8]) -> Option<u32> {
    let (unit, digits) = text.split_last()?;
    let shift = match unit {
        b'K' => 0,
        b'M' => 10,
        b'G' => 20,
        _ => return None,
    };
    number(digits, 10)
        .filter(|size| *size > 0)?
        .checked_mul(1 << shift)
}

/// Digits alone: no sign, no blank, nothing that does not fit.
fn number(text: &[u8], base: u32) -> Option<u32> {
    let (first, rest) = text.split_first()?;
    let digit = |byte: &u8| char::from(*byte).to_digit(base);
    rest.iter().try_fold(digit(first)?, |value, byte| {
        value.checked_mul(base)?.checked_add(digit(byte)?)
    })
}
