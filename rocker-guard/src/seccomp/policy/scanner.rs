//! `Scanner`: reads a policy from its start.

use super::constants;
use rocker_sys::{Errno, Result};

/// The text, and how much of it has been read. After an error that is where it makes no sense.
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    /// Here it makes no sense.
    pub(crate) fn refuse<T>(&mut self, at: usize, errno: Errno) -> Result<T> {
        self.at = at;
        Err(errno)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// Passes over blanks; a backslash at the end of a line goes on in the next one.
    pub(crate) fn blanks(&mut self) {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\r', ..] => self.skip(1),
                [b'\\', b'\n', ..] => self.skip(2),
                _ => return,
            }
        }
    }

    /// Passes over the rest of the line.
    pub(crate) fn line(&mut self) {
        let rest = self.rest();
        let end = rest.iter().position(|byte| *byte == b'\n');
        self.skip(end.unwrap_or(rest.len()));
    }

    /// Takes these bytes, if they are what comes next but for blanks.
    pub(crate) fn eat(&mut self, bytes: &str) -> bool {
        self.blanks();
        let is_next = self.rest().starts_with(bytes.as_bytes());
        if is_next {
            self.skip(bytes.len());
        }
        is_next
    }

    /// The same, or it is a mistake.
    pub(crate) fn want(&mut self, bytes: &str) -> Result<()> {
        if self.eat(bytes) {
            Ok(())
        } else {
            Err(Errno::EINVAL)
        }
    }

    /// Letters, digits and underscores, perhaps none.
    pub(crate) fn word(&mut self) -> &'a [u8] {
        self.blanks();
        let rest = self.rest();
        let is_in = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let len = rest
            .iter()
            .position(|byte| !is_in(byte))
            .unwrap_or(rest.len());
        self.skip(len);
        rest.get(..len).unwrap_or_default()
    }

    /// Constants with `|` between them.
    pub(crate) fn value(&mut self) -> Result<u64> {
        let mut value = self.term()?;
        loop {
            self.blanks();
            match self.rest() {
                [b'|', b'|', ..] => return Ok(value),
                [b'|', ..] => self.skip(1),
                _ => return Ok(value),
            }
            value |= self.term()?;
        }
    }

    /// A number, a constant, or either in brackets or complemented.
    fn term(&mut self) -> Result<u64> {
        // As many as are on the way, but no deeper than anybody means it.
        let mut complements = 0u32;
        while self.eat("~") {
            complements = complements.wrapping_add(1);
        }
        let value = if self.eat("(") {
            let mut value = self.constant()?;
            while self.eat("|") {
                value |= self.constant()?;
            }
            self.want(")")?;
            value
        } else {
            self.constant()?
        };
        Ok(if complements & 1 == 1 { !value } else { value })
    }

    fn constant(&mut self) -> Result<u64> {
        let is_negative = self.eat("-");
        self.blanks();
        let at = self.at;
        let word = self.word();
        let known = number(word).or_else(|| constants::value_of(word).map(u64::from));
        match known {
            Some(value) if is_negative => Ok(value.wrapping_neg()),
            Some(value) => Ok(value),
            None => self.refuse(at, Errno::EINVAL),
        }
    }
}

/// Decimal, hexadecimal (0x) or octal (0).
pub(crate) fn number(word: &[u8]) -> Option<u64> {
    let (digits, base) = match word {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        digits => (digits, 10),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = char::from(*byte).to_digit(base)?;
        value.checked_mul(base.into())?.checked_add(digit.into())
    })
}
