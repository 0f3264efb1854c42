//! Pipes.

use std::fs::File;
use std::os::fd::OwnedFd;

/// A pipe: its reading end and its writing end, both closed on exec.
pub fn pipe() -> (File, File) {
    let (reader, writer) = std::io::pipe().unwrap();
    (
        File::from(OwnedFd::from(reader)),
        File::from(OwnedFd::from(writer)),
    )
}
