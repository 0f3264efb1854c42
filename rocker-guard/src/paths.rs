//! `Paths`: where the overlaid directories are, by their canonical names.

use crate::resolve::PATH_MAX;
use core::ffi::CStr;
use rocker_sys::memory::Pages;
use rocker_sys::{Errno, Fd, ProcPath, Result, fs};

/// The canonical paths of all overlays, one after another with a NUL each, in pages that nobody else needs.
pub(crate) struct Paths {
    pages: Pages,
    used: usize,
}

impl Paths {
    /// Room for this many.
    pub(crate) fn new(count: usize) -> Result<Self> {
        // Only what is written is ever made real by the kernel.
        Ok(Self {
            pages: Pages::new(count.saturating_mul(PATH_MAX))?,
            used: 0,
        })
    }

    /// Adds the path that a descriptor was opened at, as the kernel knows it: without symbolic links.
    pub(crate) fn add(&mut self, dir: &Fd) -> Result<(usize, usize)> {
        let room = self
            .pages
            .as_mut_slice()
            .get_mut(self.used..)
            .unwrap_or_default();
        let room = room.get_mut(..PATH_MAX).ok_or(Errno::ENAMETOOLONG)?;
        let len = fs::readlinkat(fs::AT_FDCWD, ProcPath::new(dir.raw()).as_c_str(), room)?;
        if len >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let start = self.used;
        self.used = start.saturating_add(len).saturating_add(1);
        Ok((start, len))
    }

    /// The path that `add` gave this place.
    pub(crate) fn get(&self, (start, len): (usize, usize)) -> &[u8] {
        let from = self.pages.as_slice().get(start..).unwrap_or_default();
        from.get(..len).unwrap_or_default()
    }

    /// The same for a system call.
    pub(crate) fn c_str(&self, (start, _): (usize, usize)) -> Result<&CStr> {
        let from = self.pages.as_slice().get(start..).unwrap_or_default();
        CStr::from_bytes_until_nul(from).map_err(|_| Errno::ENAMETOOLONG)
    }
}

/// Does the path `inner` lie below the directory `outer`?
pub(crate) fn holds(outer: &[u8], inner: &[u8]) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_goes_by_components() {
        assert!(holds(b"/var", b"/var/lib"));
        assert!(!holds(b"/var", b"/var"));
        assert!(!holds(b"/var", b"/variable"));
        assert!(!holds(b"/var/lib", b"/var"));
    }
}
