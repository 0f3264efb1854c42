//! Text for people, put together from pieces.

use rocker_sys::{Errno, fs};

/// The longest line that is written at once, so that lines of several processes do not mix; below `PIPE_BUF` of `pipe(7)`.
const LINE: usize = 1024;

fn write_all(fd: i32, pieces: &[&[u8]]) {
    let mut line = heapless::Vec::<u8, LINE>::new();
    // Whoever reads has gone, or the disk is full: there is nobody to tell.
    let flush = |bytes: &[u8]| fs::write(fd, bytes).map_or((), drop);
    for piece in pieces {
        if line.extend_from_slice(piece).is_err() {
            flush(&line);
            line.clear();
            if line.extend_from_slice(piece).is_err() {
                flush(piece);
            }
        }
    }
    flush(&line);
}

/// To standard output; gives the exit status 0.
pub(crate) fn print(pieces: &[&[u8]]) -> i32 {
    write_all(1, pieces);
    0
}

/// To standard error, with the program's name and a newline.
pub(crate) fn report(pieces: &[&[u8]]) {
    let mut all = heapless::Vec::<&[u8], 10>::new();
    all.push(b"rocker: ").unwrap_or_default();
    // Nobody passes more than eight.
    all.extend_from_slice(pieces).unwrap_or_default();
    all.push(b"\n").unwrap_or_default();
    write_all(2, &all);
}

/// The name of an error, as a piece.
pub(crate) fn name(errno: Errno) -> &'static [u8] {
    errno.name().as_bytes()
}

/// A decimal number that fits, without sign or spaces.
pub(crate) fn parse_number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u32, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_strictly() {
        assert_eq!(parse_number(b"4294967295"), Some(u32::MAX));
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
            assert_eq!(parse_number(bad), None, "{bad:?}");
        }
    }
}
