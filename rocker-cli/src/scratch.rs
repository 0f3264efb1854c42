//! `Scratch`: the directories of one run that nobody named.

use core::ffi::CStr;
use rocker_sys::fs::{self, DirEntries};
use rocker_sys::raw::general::{AT_REMOVEDIR, O_DIRECTORY, O_NOFOLLOW, O_RDONLY};
use rocker_sys::{Errno, Fd, Result, StackPath, parse_decimal, process};

/// The number of the run follows.
const DATA_DIR: &[u8] = b"/run/rocker/data.";

/// Where a package is mounted if nothing else is said: runs do not see each other's mounts.
pub(crate) const EXEC_DIR: &CStr = c"/run/rocker/app";

/// A data directory for one run, which goes when this is dropped.
pub(crate) struct Scratch {
    data_dir: Option<StackPath<64>>,
}

impl Scratch {
    /// Makes what is wanted: the usual exec directory, which stays, and a data directory of this run's own.
    pub(crate) fn make(exec_dir: bool, data_dir: bool) -> Result<Self> {
        let mut scratch = Self { data_dir: None };
        if exec_dir || data_dir {
            make_dir(c"/run/rocker", 0o755)?;
        }
        sweep();
        if exec_dir {
            make_dir(EXEC_DIR, 0o755)?;
        }
        if data_dir {
            let path = StackPath::numbered(DATA_DIR, process::pid().unsigned_abs(), b"")?;
            // Left by a run that was killed, and whose number has come round.
            remove_tree(path.as_c_str());
            fs::mkdirat(fs::AT_FDCWD, path.as_c_str(), 0o700)?;
            scratch.data_dir = Some(path);
        }
        Ok(scratch)
    }

    pub(crate) fn data_dir(&self) -> &CStr {
        self.data_dir.as_ref().map_or(c"", StackPath::as_c_str)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(path) = &self.data_dir {
            remove_tree(path.as_c_str());
        }
    }
}

fn make_dir(path: &CStr, mode: u32) -> Result<()> {
    match fs::mkdirat(fs::AT_FDCWD, path, mode) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Removes what runs have left that were killed: whatever carries the number of a process that is no more.
fn sweep() {
    let Ok(dir) = open_dir(fs::AT_FDCWD, c"/run/rocker") else {
        return;
    };
    for_each_name(&dir, |name| {
        if run_of(name.to_bytes()).is_some_and(|pid| process::kill(pid, 0) == Err(Errno::ESRCH)) {
            remove(&dir, name);
        }
    });
}

/// The process that a file in /run/rocker is named after: `data.N`, `run.N.sock` and what lies beside that one.
fn run_of(name: &[u8]) -> Option<i32> {
    let rest = name
        .strip_prefix(b"data.")
        .or_else(|| name.strip_prefix(b"run."))?;
    let digits = rest.split(|byte| *byte == b'.').next()?;
    i32::try_from(parse_decimal(digits)?).ok()
}

/// Removes a directory and everything in it; what cannot be removed stays, like the directory of a sandbox that has left
/// processes behind.
fn remove_tree(path: &CStr) {
    if let Ok(dir) = open_dir(fs::AT_FDCWD, path) {
        empty(&dir);
        fs::unlinkat(fs::AT_FDCWD, path, AT_REMOVEDIR).unwrap_or_default();
    }
}

fn open_dir(parent: i32, name: &CStr) -> Result<Fd> {
    fs::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
}

/// Takes names until a whole pass removes nothing more: removing while reading may skip some.
fn empty(dir: &Fd) {
    loop {
        let mut removed = false;
        for_each_name(dir, |name| removed |= remove(dir, name));
        if !removed {
            return;
        }
    }
}

fn for_each_name(dir: &Fd, mut each: impl FnMut(&CStr)) {
    // Opened anew: a descriptor has one place of reading.
    let Ok(list) = open_dir(dir.raw(), c".") else {
        return;
    };
    let mut buffer = [0; 1024];
    while let Ok(len @ 1..) = fs::getdents64(list.raw(), &mut buffer) {
        for entry in DirEntries::new(buffer.get(..len).unwrap_or_default()) {
            each(entry.name);
        }
    }
}

fn remove(dir: &Fd, name: &CStr) -> bool {
    if name == c"." || name == c".." {
        return false;
    }
    if fs::unlinkat(dir.raw(), name, 0).is_ok() {
        return true;
    }
    if let Ok(inner) = open_dir(dir.raw(), name) {
        empty(&inner);
    }
    fs::unlinkat(dir.raw(), name, AT_REMOVEDIR).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_known_by_their_names() {
        assert_eq!(run_of(b"data.12"), Some(12));
        assert_eq!(run_of(b"run.7.sock"), Some(7));
        assert_eq!(run_of(b"run.7.sock.lock"), Some(7));
        for other in [
            &b"app"[..],
            b"master.sock",
            b"data.",
            b"data.x",
            b"run.4294967295.sock",
        ] {
            assert_eq!(run_of(other), None);
        }
    }
}
