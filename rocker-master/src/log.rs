//! `Line`: one event for the log, written at once to standard error.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use rocker_sys::{Decimal, Errno, fs, time};

/// How many lines users may cause at once.
const LINES: u32 = 64;

/// A log line under construction. What does not fit is cut: a line is for people.
pub(crate) struct Line {
    bytes: heapless::Vec<u8, { Self::SIZE }>,
}

impl Line {
    /// Two paths and a dozen words; below `PIPE_BUF`, so that lines of several writers do not mix.
    const SIZE: usize = 768;
    /// How much of a path is shown, in bytes.
    const PATH_SHOWN: usize = 256;

    pub(crate) fn new() -> Self {
        let mut line = Self::bare();
        line.text("rocker-master: ");
        line
    }

    /// One for whoever asked for it, and not for the log.
    pub(crate) fn bare() -> Self {
        let bytes = heapless::Vec::new();
        Self { bytes }
    }

    fn push(&mut self, byte: u8) {
        // Full: the line is cut here.
        self.bytes.push(byte).unwrap_or_default();
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.raw(text.as_bytes())
    }

    /// Text of root's own.
    pub(crate) fn raw(&mut self, text: &[u8]) -> &mut Self {
        for byte in text {
            self.push(*byte);
        }
        self
    }

    pub(crate) fn number(&mut self, number: i32) -> &mut Self {
        if number < 0 {
            self.push(b'-');
        }
        self.unsigned(number.unsigned_abs())
    }

    pub(crate) fn unsigned(&mut self, number: u32) -> &mut Self {
        for digit in Decimal::of(number).as_bytes() {
            self.push(*digit);
        }
        self
    }

    /// Text from outside, in quotes; what could break a line or a terminal is written `\xNN`.
    pub(crate) fn quoted(&mut self, text: &CStr) -> &mut Self {
        self.push(b'"');
        for byte in text.to_bytes().iter().take(Self::PATH_SHOWN) {
            match byte {
                b'"' | b'\\' => {
                    self.push(b'\\');
                    self.push(*byte);
                }
                b' '..=b'~' | 0x80..=0xff => self.push(*byte),
                control => {
                    self.text("\\x");
                    self.push_hex_digit(control >> 4);
                    self.push_hex_digit(control & 15);
                }
            }
        }
        self.push(b'"');
        if text.to_bytes().len() > Self::PATH_SHOWN {
            self.text("...")
        } else {
            self
        }
    }

    fn push_hex_digit(&mut self, digit: u8) {
        self.push(if digit < 10 {
            b'0'.wrapping_add(digit)
        } else {
            b'a'.wrapping_sub(10).wrapping_add(digit)
        });
    }

    /// The name and, for those that have none here, the number.
    pub(crate) fn errno(&mut self, errno: i32) -> &mut Self {
        self.text(Errno::from_raw(errno).name())
            .text("(")
            .number(errno)
            .text(")")
    }

    /// Prints what this user has caused. Others than root have 64 lines, and one more every second: a log may lie on flash,
    /// and whoever may connect could fill it. What is left out is counted.
    pub(crate) fn print_about(&mut self, uid: u32) {
        // The master has one thread; atomics are the statics that need no `unsafe`.
        static LEFT: AtomicU32 = AtomicU32::new(LINES);
        static COUNTED_AT: AtomicU32 = AtomicU32::new(0);
        static LEFT_OUT: AtomicU32 = AtomicU32::new(0);
        if uid == 0 {
            return self.print();
        }
        let now = (time::monotonic_ms() / 1000) as u32;
        let gained = now.wrapping_sub(COUNTED_AT.swap(now, Relaxed));
        let left = LEFT.load(Relaxed).saturating_add(gained).min(LINES);
        LEFT.store(left.saturating_sub(1), Relaxed);
        if left == 0 {
            LEFT_OUT.fetch_add(1, Relaxed);
            return;
        }
        let left_out = LEFT_OUT.swap(0, Relaxed);
        if left_out > 0 {
            Self::new()
                .text("lines about users that were left out: ")
                .unsigned(left_out)
                .print();
        }
        self.print();
    }

    pub(crate) fn print(&mut self) {
        self.push(b'\n');
        // A log that cannot be written must not end the daemon.
        fs::write(2, &self.bytes).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &Line) -> &str {
        core::str::from_utf8(&line.bytes).unwrap()
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let mut line = Line::new();
        line.quoted(c"/a\n\x1b[2J\"\\b\xc3\xa4");
        assert_eq!(
            text(&line),
            "rocker-master: \"/a\\x0a\\x1b[2J\\\"\\\\b\u{e4}\""
        );
    }

    #[test]
    fn numbers() {
        let mut line = Line::new();
        line.number(0)
            .text(" ")
            .number(-1)
            .text(" ")
            .number(i32::MIN)
            .text(" ")
            .errno(22);
        assert_eq!(text(&line), "rocker-master: 0 -1 -2147483648 EINVAL(22)");
    }

    #[test]
    fn long_lines_are_cut() {
        let mut line = Line::new();
        for _ in 0..1000 {
            line.text("xy");
        }
        assert_eq!(line.bytes.len(), Line::SIZE);
    }
}
