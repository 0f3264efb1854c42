//! `Whereabouts`: where the master is, so that it can come back.

use rocker_guard::Place;
use rocker_sys::namespace::{self, CLONE_NEWIPC};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Fd, Result, fs};

/// A place among the mounts, with a working directory, and an IPC namespace.
pub(crate) struct Whereabouts {
    pub(crate) place: Place,
    working_dir: Fd,
    ipc: Fd,
}

impl Whereabouts {
    /// Where this process is.
    pub(crate) fn now() -> Result<Self> {
        Ok(Self {
            place: Place::here()?,
            working_dir: fs::open(c".", O_PATH | O_DIRECTORY)?,
            ipc: fs::open(c"/proc/self/ns/ipc", O_RDONLY)?,
        })
    }

    /// Takes this process there.
    ///
    /// # Errors
    /// `ENOMEM`. Then it may have come half the way.
    pub(crate) fn go(&self) -> Result<()> {
        namespace::setns(self.ipc.raw(), CLONE_NEWIPC)?;
        self.place.go()?;
        fs::fchdir(self.working_dir.raw())
    }
}
