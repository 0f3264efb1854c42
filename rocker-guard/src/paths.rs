//! `Paths`: where the overlaid directories are, by their canonical names.

use crate::resolve::PATH_MAX;
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use rocker_sys::memory::Pages;
use rocker_sys::{Errno, Fd, ProcPath, Result, fs};

/// The canonical paths of all overlays, one after another with a NUL each, in pages that nobody else needs.
pub(crate) struct Paths {
    /// Made with the first path, and not given back before the guard gives back everything: both take a while.
    pages: Option<ManuallyDrop<Pages>>,
    capacity: usize,
    used: usize,
}

impl Paths {
    /// For this many.
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            pages: None,
            capacity,
            used: 0,
        }
    }

    /// Adds the path that a descriptor was opened at, as the kernel knows it: without symbolic links.
    pub(crate) fn add(&mut self, dir: &Fd) -> Result<(usize, usize)> {
        let pages = match &mut self.pages {
            Some(pages) => pages,
            none => {
                // Only what is written is ever made real by the kernel.
                let pages = Pages::new(self.capacity.saturating_mul(PATH_MAX))?;
                none.insert(ManuallyDrop::new(pages))
            }
        };
        let room = pages.as_mut_slice().get_mut(self.used..);
        let room = room.unwrap_or_default();
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
        let from = self.from(start);
        from.get(..len).unwrap_or_default()
    }

    /// The same for a system call.
    pub(crate) fn c_str(&self, (start, _): (usize, usize)) -> Result<&CStr> {
        CStr::from_bytes_until_nul(self.from(start)).map_err(|_| Errno::ENAMETOOLONG)
    }

    fn from(&self, start: usize) -> &[u8] {
        let pages = self.pages.as_ref();
        let bytes = pages.and_then(|pages| pages.as_slice().get(start..));
        bytes.unwrap_or_default()
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
