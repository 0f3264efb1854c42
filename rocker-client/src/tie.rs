//! `Tie`: two connected sockets of which host and child keep one each, so that either sees the other's end.
#![allow(unsafe_code)]

use crate::held::{self, Held};
use rocker_sys::{Errno, Fd, socket, time};

/// Both ends; a child that is a fork, or borrows the host's memory, sees them too.
pub(crate) struct Tie {
    pub(crate) host: Held,
    pub(crate) child: Held,
}

impl Tie {
    pub(crate) fn new() -> Result<Self, Errno> {
        held::section(|section| {
            let (host, child) = socket::pair()?;
            Ok(Self {
                host: section.hold(host),
                child: section.hold(child),
            })
        })
    }

    /// In the child, when it has asked for a parent death signal: is the host still there? One that ended before is seen
    /// by its socket: its process id means nothing in another pid namespace.
    ///
    /// # Errors
    /// `ESRCH`: it has ended.
    ///
    /// # Safety
    /// Runs in the child, once: this closes the child's copy of the host's end, by number. Its owner is in the host's memory,
    /// or in a copy of it that is never dropped.
    pub(crate) unsafe fn find_host(&self) -> Result<(), Errno> {
        // SAFETY: the caller's promise: in this process it has no owner.
        drop(unsafe { Fd::from_raw(self.host.raw()) });
        match time::wait_readable(self.child.raw(), 0) {
            Err(Errno::ETIMEDOUT) => Ok(()),
            _ => Err(Errno::ESRCH),
        }
    }
}
