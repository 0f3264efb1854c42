//! `Mask`: the empty file that covers what must not be read in `/proc`.

use crate::resolve;
use core::ffi::CStr;
use rocker_sys::raw::general::{O_DIRECTORY, O_NOFOLLOW, O_PATH};
use rocker_sys::{Errno, Fd, Result, StackPath, fs};

/// The master's own file, opened before anything is mounted.
pub(crate) struct Mask<'a> {
    pub(crate) file: Fd,
    dir: Fd,
    name: &'a CStr,
}

impl<'a> Mask<'a> {
    /// It is named as the master's command line names its socket: perhaps from its working directory.
    pub(crate) fn open(path: &'a CStr) -> Result<Self> {
        /// As long as the address of a socket may be, and what the master adds to it.
        const SIZE: usize = 128;
        let mut parts = path.to_bytes_with_nul().rsplitn(2, |byte| *byte == b'/');
        let name = parts.next().unwrap_or_default();
        let name = CStr::from_bytes_until_nul(name).map_err(|_| Errno::EINVAL)?;
        let dir = match parts.next() {
            // With the slash, for one that lies in the root.
            Some(dir) => StackPath::<SIZE>::of(&[dir, b"/"]),
            None => StackPath::of(&[b"."]),
        }?;
        let dir = resolve::open(dir.as_c_str(), O_DIRECTORY)?;
        let file = fs::openat(dir.raw(), name, O_PATH | O_NOFOLLOW, 0)?;
        Ok(Self { file, dir, name })
    }

    /// Makes its directory the working directory, which is the one thing of a mount namespace that a copy of it has too,
    /// whatever is mounted over it.
    pub(crate) fn go_there(&self) -> Result<()> {
        fs::fchdir(self.dir.raw())
    }

    /// The file as this process's mount namespace has it, which was copied after [`go_there`](Self::go_there).
    pub(crate) fn open_copy(&self) -> Result<Fd> {
        let copy = fs::openat(fs::AT_FDCWD, self.name, O_PATH | O_NOFOLLOW, 0)?;
        fs::chdir(c"/")?;
        Ok(copy)
    }
}
