//! `Place`: where a process is, so that it can come back.

use core::ffi::CStr;
use rocker_sys::namespace::{self, CLONE_NEWIPC, CLONE_NEWNS};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Fd, RawFd, Result, fs};

/// The mount namespace of this process.
pub(crate) fn mount_namespace() -> Result<Fd> {
    fs::open(c"/proc/self/ns/mnt", O_RDONLY)
}

/// A mount namespace with a root and a working directory in it, and an IPC namespace.
pub(crate) struct Place {
    mounts: Fd,
    ipc: Fd,
    root: Fd,
    working_dir: Fd,
}

impl Place {
    /// Where this process is.
    pub(crate) fn here() -> Result<Self> {
        let dir = |path: &CStr| fs::open(path, O_PATH | O_DIRECTORY);
        Ok(Self {
            mounts: mount_namespace()?,
            ipc: fs::open(c"/proc/self/ns/ipc", O_RDONLY)?,
            root: dir(c"/")?,
            working_dir: dir(c".")?,
        })
    }

    /// The mount namespace.
    pub(crate) fn mounts(&self) -> RawFd {
        self.mounts.raw()
    }

    /// Takes this process there.
    ///
    /// # Errors
    /// `ENOMEM`. Then it may have come half the way.
    pub(crate) fn go(&self) -> Result<()> {
        namespace::setns(self.ipc.raw(), CLONE_NEWIPC)?;
        namespace::setns(self.mounts.raw(), CLONE_NEWNS)?;
        // setns goes to the namespace's own root.
        fs::fchdir(self.root.raw())?;
        fs::chroot(c".")?;
        fs::fchdir(self.working_dir.raw())
    }
}
