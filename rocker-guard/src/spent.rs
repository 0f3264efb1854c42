//! `Spent`: work directories that an earlier launch has used.
//!
//! A mount of overlayfs makes a directory `work` in its work directory, which stays. The next mount removes it before it
//! makes its own, and that is half of what a mount costs (131 us with, 72 without on ext4; 162 and 133 with a journal). So
//! every overlay has two work directories, used in turns, and while the App runs, the master removes what the launch before
//! has left in the other one. If it does not come to that, overlayfs does it.

use crate::work_dir::is_used;
use rocker_sys::Fd;
use rocker_sys::socket::FDS_MAX;

/// Descriptors of them; no more than fit one packet, with the guard's pidfd and the lock of its seat.
#[derive(Default)]
pub(crate) struct Spent(heapless::Vec<Fd, { FDS_MAX - 2 }>);

impl Spent {
    /// Of the two, the one to use. The other is noted if it needs to be cleared.
    pub(crate) fn choose(&mut self, [first, second]: [Fd; 2]) -> Fd {
        if !is_used(&first) {
            if is_used(&second) {
                self.note(second);
            }
            return first;
        }
        self.note(first);
        second
    }

    fn note(&mut self, work: Fd) {
        // What finds no room is closed.
        self.0.push(work).unwrap_or_default();
    }

    pub(crate) fn as_slice(&self) -> &[Fd] {
        &self.0
    }
}
