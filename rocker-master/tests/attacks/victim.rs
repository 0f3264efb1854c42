//! `Victim`: a directory of root's that somebody is after, watched by inotify.

use rocker_testing::{c_path, make_dir};
use std::ffi::CStr;
use std::fs::File;
use std::io::{Error, Read};
use std::os::fd::FromRawFd;
use std::path::Path;

/// It sees every event of itself and of the directories in it.
pub struct Victim {
    events: File,
}

impl Victim {
    /// Watches these directories, which it makes, closed to all but root.
    pub fn watch(dirs: &[&str]) -> Self {
        // SAFETY: integers only.
        let fd = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
        assert!(fd >= 0, "inotify: {}", Error::last_os_error());
        for dir in dirs {
            make_dir(Path::new(dir), 0o700);
            let path = c_path(dir);
            // SAFETY: a path that outlives the call.
            let watch = unsafe { libc::inotify_add_watch(fd, path.as_ptr(), libc::IN_ALL_EVENTS) };
            assert!(watch >= 0, "{dir}: {}", Error::last_os_error());
        }
        // SAFETY: made above, and owned by nobody else.
        let events = unsafe { File::from_raw_fd(fd) };
        Self { events }
    }

    /// What has happened since the last look: a mask of inotify(7), and a name.
    pub fn events(&mut self) -> Vec<String> {
        let mut bytes = vec![0; 1 << 16];
        let Ok(len) = self.events.read(&mut bytes) else {
            return Vec::new();
        };
        let mut rest = &bytes[..len];
        let mut seen = Vec::new();
        // `struct inotify_event`: watch, mask, cookie, length, then the name with NULs.
        while let Some((head, tail)) = rest.split_at_checked(16) {
            let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
            let (name, tail) = tail.split_at(word(12) as usize);
            let name = CStr::from_bytes_until_nul(name).unwrap_or_default();
            seen.push(format!("{:#x} {name:?}", word(4)));
            rest = tail;
        }
        seen
    }
}
