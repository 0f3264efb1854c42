//! Python's compiled files remember the time of their source.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Magic, flags, time of the source, size of the source.
const HEADER_SIZE: usize = 16;

/// Whether this is a `.pyc` that Python throws away when the time of its source has changed: on a
/// read-only package it would then compile the source again at every start.
pub(crate) fn depends_on_time(path: &Path) -> bool {
    if path.extension().is_none_or(|extension| extension != "pyc") {
        return false;
    }
    let mut header = [0; HEADER_SIZE];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut header, 0));
    // Only a hint hangs on it: what cannot be read will fail, with its name, when it is packed.
    read.is_ok() && header[4..8] == [0; 4]
}
