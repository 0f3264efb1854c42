//! `Entry`: one line of a policy, and `Word`: a piece of it that knows where it stands.

/// What is wrong with a policy, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: &'static str,
}

/// A piece of a line.
#[derive(Clone, Copy)]
pub(super) struct Word<'t> {
    pub(super) bytes: &'t [u8],
    line: usize,
    column: usize,
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

    /// Its first bytes, none if there are fewer, and the rest.
    pub(super) fn split<const N: usize>(&self) -> (&[u8], Self) {
        let (first, rest) = self.bytes.split_at_checked(N).unwrap_or_default();
        let rest = Self {
            bytes: rest,
            line: self.line,
            column: self.column.saturating_add(N),
        };
        (first, rest)
    }
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

/// The lines of a text, but for those that say nothing.
pub(super) struct Entries<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
}

impl<'t> Entries<'t> {
    /// From here on.
    pub(super) fn of(text: &'t [u8], at: usize) -> Self {
        Self { text, at, line: 0 }
    }
}

impl<'t> Iterator for Entries<'t> {
    type Item = Entry<'t>;

    fn next(&mut self) -> Option<Entry<'t>> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let line = until(rest, |byte, _| byte == b'\n');
            self.at = self.at.saturating_add(line.len()).saturating_add(1);
            self.line = self.line.saturating_add(1);
            // A comment starts a line, or follows a blank: in a path a `#` may stand.
            let line =
                until(line, |byte, before| byte == b'#' && is_blank(before)).trim_ascii_end();
            let from_key = line.trim_ascii_start();
            let key = until(from_key, |byte, _| is_blank(byte));
            let value = from_key.get(key.len()..)?.trim_ascii_start();
            if key.is_empty() {
                continue;
            }
            // Each ends, or goes on to, where the line ends.
            let word = |bytes, from: &[u8]| Word {
                bytes,
                line: self.line,
                column: line.len().saturating_sub(from.len()).saturating_add(1),
            };
            return Some(Entry {
                key: word(key, from_key),
                value: word(value, value),
                end: self.at,
            });
        }
    }
}

/// The bytes before the first at which `ends` says so, of it and the one before; a blank stands before all.
fn until(bytes: &[u8], ends: impl Fn(u8, u8) -> bool) -> &[u8] {
    let mut before = b' ';
    let end = bytes
        .iter()
        .position(|byte| ends(*byte, core::mem::replace(&mut before, *byte)));
    bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default()
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}
