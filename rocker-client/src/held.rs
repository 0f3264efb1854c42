//! `Held`: a descriptor of the library, which no App may inherit.
//!
//! A callback runs in a fork of the host and never executes, so close-on-exec does nothing for it: it would keep the
//! descriptors of every launch that other threads have under way. So each descriptor is noted in a table from the moment
//! it exists to the moment it is closed; descriptors are made and forks are taken under one lock; and the new process
//! closes whatever the table names. It does so when its sandbox is ready: until then it has copies of what other launches
//! use, whose end may be seen as late as that.
#![allow(unsafe_code)]

use crate::lock::{self, Lock};
use core::mem::{self, ManuallyDrop};
use core::num::NonZeroI32;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};
use rocker_sys::{Errno, Fd, RawFd, process, socket};

/// Numbers below this are noted, in bits of a table of 8 KiB of which a page is ever touched. A host with more descriptors
/// than that has only close-on-exec to rely on.
const NOTED: usize = 65_536;
const BITS: usize = u32::BITS as usize;

static LOCK: Lock = Lock::new();
static TABLE: [AtomicU32; NOTED / BITS] = [const { AtomicU32::new(0) }; NOTED / BITS];
/// The process that the table speaks of: a fork of the host's own copies it, and what it names is the original's.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Proves that the lock is held and the table this process's own.
pub(crate) struct Section {
    _held: lock::Held<'static>,
}

/// Runs `work` while no other thread makes descriptors or forks. It must not wait for anybody, and drop no [`Held`].
pub(crate) fn section<T>(work: impl FnOnce(&Section) -> T) -> T {
    work(&Section::enter())
}

/// Makes a descriptor that is noted from the start.
pub(crate) fn hold(make: impl FnOnce() -> Result<Fd, Errno>) -> Result<Held, Errno> {
    section(|section| make().map(|fd| section.hold(fd)))
}

/// A packet that came for the library.
pub(crate) struct Came {
    pub(crate) len: usize,
    /// Who sent it, as the caller sees it, if the socket was told to ask; else 0.
    pub(crate) sender: i32,
}

/// Receives the packet that is there, and holds its descriptors; the empty places of `fds` are filled from the start.
///
/// # Errors
/// As [`socket::receive`], `EMSGSIZE` also for more descriptors than `fds` has places.
pub(crate) fn receive(
    socket: RawFd,
    bytes: &mut [u8],
    fds: &mut [Option<Held>],
) -> Result<Came, Errno> {
    section(|section| {
        let mut put = |fd| {
            let Some(slot) = fds.iter_mut().find(|slot| slot.is_none()) else {
                return false;
            };
            // It was empty: dropping another one here would wait for this very section.
            mem::forget(slot.replace(section.hold(fd)));
            true
        };
        let (len, sender) = socket::receive_into(socket, bytes, socket::DONT_WAIT, &mut put)?;
        let sender = sender.map_or(0, |sender| sender.pid);
        Ok(Came { len, sender })
    })
}

impl Section {
    // Once, and not in each of its callers.
    #[inline(never)]
    fn enter() -> Self {
        let held = LOCK.acquire();
        let me = process::pid();
        if OWNER.swap(me, Relaxed) != me {
            for word in &TABLE {
                word.store(0, Relaxed);
            }
        }
        Self { _held: held }
    }

    /// Notes a descriptor that was made in this section.
    pub(crate) fn hold(&self, fd: Fd) -> Held {
        self.note(fd.raw(), |word, bit| word | bit);
        Held(complement(fd))
    }

    fn note(&self, fd: RawFd, change: impl Fn(u32, u32) -> u32) {
        let number = fd.unsigned_abs() as usize;
        let bit = 1u32.wrapping_shl((number % BITS) as u32);
        if let Some(word) = TABLE.get(number / BITS) {
            word.store(change(word.load(Relaxed), bit), Relaxed);
        }
    }
}

/// An owned descriptor of the library's, which no App inherits: not even one that another thread of the host forks at this
/// very moment. Dropping it closes it.
///
/// What it keeps is the complement of the number, which is never 0: so `Option<Held>` is no larger, of which a sandbox has
/// half a dozen.
#[derive(Debug)]
pub struct Held(NonZeroI32);

fn complement(fd: Fd) -> NonZeroI32 {
    // SAFETY: an open descriptor is not negative, so it is not -1.
    unsafe { NonZeroI32::new_unchecked(!fd.into_raw()) }
}

impl Held {
    /// The number, still owned by `self`.
    pub fn raw(&self) -> RawFd {
        !self.0.get()
    }

    /// The descriptor is the host's from now on, and Apps that are forked inherit it.
    pub fn into_fd(self) -> Fd {
        let this = ManuallyDrop::new(self);
        section(|section| section.note(this.raw(), |word, bit| word & !bit));
        // SAFETY: `this` is never dropped nor used again, so this is the only owner.
        unsafe { Fd::from_raw(this.raw()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Out of the table and closed in one step.
        section(|section| {
            section.note(self.raw(), |word, bit| word & !bit);
            // SAFETY: `self` owned it and is not used again.
            drop(unsafe { Fd::from_raw(self.raw()) });
        });
    }
}

/// In a fork: closes every descriptor of the library, whichever thread it belonged to.
///
/// # Safety
/// The process is a fork with one thread, in which no [`Held`] is used or dropped afterwards.
#[cfg(feature = "callback")]
pub(crate) unsafe fn close_all() {
    for (number, word) in (0i32..).step_by(BITS).zip(&TABLE) {
        let mut bits = word.swap(0, Relaxed);
        while bits != 0 {
            let fd = number.wrapping_add(bits.trailing_zeros().cast_signed());
            // SAFETY: the table names descriptors of this library that are open, and by the caller's promise no copy of
            // their owners in this process closes them too.
            drop(unsafe { Fd::from_raw(fd) });
            bits &= bits.wrapping_sub(1);
        }
    }
}

#[cfg(all(test, feature = "callback"))]
mod tests {
    use super::*;
    use rocker_sys::{fs, raw::general::O_RDONLY};

    fn is_noted(fd: RawFd) -> bool {
        let number = fd as usize;
        TABLE[number / BITS].load(Relaxed) >> (number % BITS) & 1 == 1
    }

    #[test]
    fn a_descriptor_is_noted_as_long_as_it_is_held() {
        let open = || hold(|| fs::open(c"/dev/null", O_RDONLY)).unwrap();
        let held = open();
        let fd = held.raw();
        assert!(is_noted(fd));
        drop(held);
        assert!(!is_noted(fd));
        assert!(fs::fstat(fd).is_err());

        let held = open();
        let fd = held.into_fd();
        assert!(!is_noted(fd.raw()));
        assert!(fs::fstat(fd.raw()).is_ok());
    }
}
