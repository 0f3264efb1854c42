//! `Seat`: what tells the live sandboxes of one App apart.

use crate::spent::Spent;
use rocker_sys::raw::general::{O_CREAT, O_NOFOLLOW, O_RDWR};
use rocker_sys::{Errno, Fd, Result, StackPath, fs};

/// A number that no other live sandbox with this data directory has. It is held as the lock of a file, which the kernel
/// lets go of when the guard dies, however it dies.
///
/// Each overlay has work directories per seat. Overlayfs empties the work directory at every mount, and a live overlay
/// that loses it can neither delete nor make directories any more (`ENOENT`).
pub(crate) struct Seat {
    lock: Fd,
    number: u32,
    /// What this launch has found used.
    pub(crate) spent: Spent,
}

impl Seat {
    /// As many as the master has places for sandboxes.
    const COUNT: u32 = 4096;

    /// Takes the first that is free. Where the file system has no locks, everybody gets the first.
    ///
    /// # Errors
    /// `EBUSY`: all are taken.
    pub(crate) fn take(store: &Fd) -> Result<Self> {
        for number in 0..Self::COUNT {
            // No overlay's layers are called so: a plus there stands for a slash after something.
            let name = StackPath::<16>::numbered(b"+", number, b"")?;
            let flags = O_RDWR | O_CREAT | O_NOFOLLOW;
            let file = fs::openat(store.raw(), name.as_c_str(), flags, 0o600)?;
            if fs::try_lock(file.raw()) != Err(Errno::EAGAIN) {
                return Ok(Self {
                    lock: file,
                    number,
                    spent: Spent::default(),
                });
            }
        }
        Err(Errno::EBUSY)
    }

    /// One of the two work directories of this seat, beside an overlay's upper one.
    pub(crate) fn work(&self, turn: &[u8]) -> Result<StackPath<16>> {
        StackPath::numbered(b"work", self.number, turn)
    }

    /// For whom the seat is to stay taken.
    pub(crate) fn lock(&self) -> &Fd {
        &self.lock
    }

    /// Nothing else is needed while the sandbox lives.
    pub(crate) fn into_lock(self) -> Fd {
        self.lock
    }
}
