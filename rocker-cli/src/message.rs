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
