//! `Place`: where a process is among the mounts, so that it can come back.

use rocker_sys::namespace::{self, CLONE_NEWNS};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Fd, Result, fs};

/// A mount namespace, and a root directory in it: another one than the namespace's own if the master was started in a
/// chroot.
pub struct Place {
    namespace: Fd,
    root: Fd,
}

impl Place {
    /// Where this process is.
    pub fn here() -> Result<Self> {
        Ok(Self {
            namespace: fs::open(c"/proc/self/ns/mnt", O_RDONLY)?,
            root: fs::open(c"/", O_PATH | O_DIRECTORY)?,
        })
    }

    /// The mount namespace.
    pub fn namespace(&self) -> &Fd {
        &self.namespace
    }

    /// Takes this process there. Its working directory is the root then.
    ///
    /// # Errors
    /// `ENOMEM`. Then it may have come half the way.
    pub fn go(&self) -> Result<()> {
        namespace::setns(self.namespace.raw(), CLONE_NEWNS)?;
        // setns goes to the namespace's own root.
        fs::fchdir(self.root.raw())?;
        fs::chroot(c".")
    }
}
