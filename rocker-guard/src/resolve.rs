//! Opens a path that a caller named, through no symbolic link but those that only root could have made.

use crate::Defence;
use core::ffi::CStr;
use rocker_sys::fs::Stat;
use rocker_sys::raw::general::{O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, RESOLVE_NO_SYMLINKS};
use rocker_sys::{Errno, Fd, ProcPath, RawFd, Result, fs};

/// How many links a walk may follow: the kernel's own limit (`path_resolution(7)`).
const LINKS_MAX: u32 = 40;

/// `PATH_MAX` of the kernel, in bytes with the NUL.
pub(crate) const PATH_MAX: usize = 4096;

/// An `O_PATH` descriptor of an absolute path; `flags` may add `O_DIRECTORY`.
///
/// Where no symbolic link is met, this is one `openat2(2)`. Else, and before Linux 5.6, it walks component by component
/// and follows a link only if root owns it and nobody but root can write the directory that holds it (`/var/run`, merged
/// `/usr`).
///
/// # Errors
/// `ELOOP`: a symbolic link that somebody else could have made. Else as `open(2)`.
pub fn open(path: &CStr, flags: u32) -> Result<Fd> {
    // It starts at the root, whatever the directory is.
    from(fs::AT_FDCWD, path, flags)
}

/// What a path leads to, looked at before it is opened: opening a FIFO or a terminal may block or have effects.
pub struct Found {
    /// Good for nothing but to be looked at, until [`Found::open`].
    pub file: Fd,
    /// What it is.
    pub stat: Stat,
}

impl Found {
    /// # Errors
    /// Those of [`open()`].
    pub fn at(path: &CStr) -> Result<Self> {
        let file = open(path, 0)?;
        let stat = fs::fstat(file.raw())?;
        Ok(Self { file, stat })
    }

    /// Opens for reading what was looked at, whatever the path leads to by now.
    pub fn open(&mut self) -> Result<()> {
        self.file = fs::open(ProcPath::new(self.file.raw()).as_c_str(), O_RDONLY)?;
        Ok(())
    }
}

/// The same as [`open()`], for a path relative to a directory.
pub(crate) fn open_at(dir: &Fd, path: &CStr, flags: u32) -> Result<Fd> {
    from(dir.raw(), path, flags)
}

/// A directory of root's own, below another: a link in its place is refused, whoever made it. `flags` are `O_PATH` or
/// `O_RDONLY`.
#[inline(never)] // smaller by itself
pub(crate) fn open_dir(parent: &Fd, path: &CStr, flags: u32) -> Result<Fd> {
    fs::openat(parent.raw(), path, flags | O_DIRECTORY | O_NOFOLLOW, 0)
}

fn from(dir: RawFd, path: &CStr, flags: u32) -> Result<Fd> {
    if !Defence::Symlinks.stands() {
        return fs::openat(dir, path, O_PATH | flags, 0);
    }
    match fs::openat2(dir, path, O_PATH | flags, RESOLVE_NO_SYMLINKS) {
        // EPERM: filters of container engines that do not know the call yet say so.
        Err(Errno::ELOOP | Errno::ENOSYS | Errno::EPERM) => walk(dir, path, flags),
        result => result,
    }
}

// A frame of its own: three pages that most launches need not touch.
#[inline(never)]
fn walk(base: RawFd, path: &CStr, flags: u32) -> Result<Fd> {
    let mut pending = Pending::new();
    pending.prepend(path.to_bytes())?;
    let start = if path.to_bytes().starts_with(b"/") {
        c"/"
    } else {
        c"."
    };
    let mut dir = fs::openat(base, start, O_PATH | O_DIRECTORY, 0)?;
    let mut links = 0u32;
    let mut name = [0; 256];
    while let Some(component) = pending.next(&mut name)? {
        // Only what is not the last component must be a directory, but links are not, so the last one is checked below.
        let entry = fs::openat(dir.raw(), component, O_PATH | O_NOFOLLOW, 0)?;
        let stat = fs::fstat(entry.raw())?;
        if !stat.is_symlink() {
            dir = entry;
            continue;
        }
        links = links.saturating_add(1);
        if links > LINKS_MAX || stat.uid != 0 || !fs::fstat(dir.raw())?.is_root_s_alone() {
            return Err(Errno::ELOOP);
        }
        let mut target = [0; PATH_MAX];
        let len = fs::readlinkat(entry.raw(), c"", &mut target)?;
        let target = target.get(..len).ok_or(Errno::ENAMETOOLONG)?;
        if target.starts_with(b"/") {
            dir = fs::open(c"/", O_PATH | O_DIRECTORY)?;
        }
        pending.prepend(target)?;
    }
    if flags & O_DIRECTORY != 0 && !fs::fstat(dir.raw())?.is_dir() {
        return Err(Errno::ENOTDIR);
    }
    Ok(dir)
}

/// What is left to walk, at the end of the buffer, so that a link's target can be put before it.
struct Pending {
    buffer: [u8; PATH_MAX],
    start: usize,
}

impl Pending {
    fn new() -> Self {
        Self {
            buffer: [0; PATH_MAX],
            start: PATH_MAX,
        }
    }

    fn prepend(&mut self, path: &[u8]) -> Result<()> {
        let separator = self.start.checked_sub(1).ok_or(Errno::ENAMETOOLONG)?;
        let start = separator
            .checked_sub(path.len())
            .ok_or(Errno::ENAMETOOLONG)?;
        let slots = self.buffer.get_mut(start..).unwrap_or_default();
        for (slot, byte) in slots.iter_mut().zip(path.iter().chain(b"/")) {
            *slot = *byte;
        }
        self.start = start;
        Ok(())
    }

    /// The next component, copied into `name` with a NUL; empty ones and `.` are passed over.
    fn next<'n>(&mut self, name: &'n mut [u8; 256]) -> Result<Option<&'n CStr>> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(None);
            }
            let component = rest.split(|byte| *byte == b'/').next().unwrap_or_default();
            // Every component ends with a slash: `prepend` puts one there.
            self.start = self.start.saturating_add(component.len()).saturating_add(1);
            if matches!(component, b"" | b".") {
                continue;
            }
            *name = [0; 256];
            let slots = name.get_mut(..component.len()).ok_or(Errno::ENAMETOOLONG)?;
            // copy_from_slice would bring its check of the lengths, that is, a panic.
            for (slot, byte) in slots.iter_mut().zip(component) {
                *slot = *byte;
            }
            return CStr::from_bytes_until_nul(name)
                .map(Some)
                .map_err(|_| Errno::ENAMETOOLONG);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_gives_components_in_order() {
        let mut pending = Pending::new();
        let mut name = [0; 256];
        pending.prepend(b"/a//./b/").unwrap();
        assert_eq!(pending.next(&mut name).unwrap(), Some(c"a"));
        pending.prepend(b"x/y").unwrap();
        for expected in [c"x", c"y", c"b"] {
            assert_eq!(pending.next(&mut name).unwrap(), Some(expected));
        }
        assert_eq!(pending.next(&mut name).unwrap(), None);
    }

    #[test]
    fn pending_refuses_what_does_not_fit() {
        let mut pending = Pending::new();
        let long = [b'x'; PATH_MAX];
        assert_eq!(pending.prepend(&long), Err(Errno::ENAMETOOLONG));
        pending.prepend(&long[..300]).unwrap();
        assert_eq!(pending.next(&mut [0; 256]), Err(Errno::ENAMETOOLONG));
    }
}
