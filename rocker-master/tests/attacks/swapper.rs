//! `Swapper`: a local user who exchanges two entries of a directory of its own, over and over.

use rocker_testing::{become_user, c_path, kill, wait_for};

/// One at work. It ends with the value.
pub struct Swapper(i32);

impl Swapper {
    /// User 1000 exchanges these two from now on.
    pub fn start(one: &str, other: &str) -> Self {
        let paths = [c_path(one), c_path(other)];
        // SAFETY: the case has one thread.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            become_user(1000);
            loop {
                // SAFETY: both paths outlive the call.
                let done = unsafe {
                    libc::renameat2(
                        libc::AT_FDCWD,
                        paths[0].as_ptr(),
                        libc::AT_FDCWD,
                        paths[1].as_ptr(),
                        libc::RENAME_EXCHANGE,
                    )
                };
                if done != 0 {
                    // SAFETY: ends this fork.
                    unsafe { libc::_exit(1) };
                }
            }
        }
        Self(pid)
    }

    /// Ends it; it must have been at work until now.
    pub fn end(self) {
        kill(self.0, libc::SIGKILL);
        assert_eq!(wait_for(self.0), 128 + libc::SIGKILL);
    }
}
