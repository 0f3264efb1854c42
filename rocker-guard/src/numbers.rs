//! `Numbers`: the descriptors of one packet, as they are sent.

use rocker_sys::{Fd, RawFd, socket};

/// None yet.
#[derive(Default)]
pub struct Numbers(heapless::Vec<RawFd, { socket::FDS_MAX }>);

impl Numbers {
    pub(crate) fn add<'a>(&mut self, fds: impl IntoIterator<Item = &'a Fd>) {
        for fd in fds {
            // Nobody sends more than there is room for.
            self.0.push(fd.raw()).unwrap_or_default();
        }
    }

    /// In the order in which they were added.
    pub fn as_slice(&self) -> &[RawFd] {
        &self.0
    }
}
