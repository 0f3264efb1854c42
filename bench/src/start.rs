//! `Start`: when an App has started, in memory that forks share.

use crate::clock::now;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

/// Written by the App, in its copy of the AppMaster's process.
pub(crate) struct Start {
    time: AtomicI64,
    /// A futex.
    is_over: AtomicU32,
}

impl Start {
    /// Lives as long as the process.
    pub(crate) fn shared() -> &'static Self {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: no address is asked for, so nothing is replaced.
        let page = unsafe { libc::mmap(null_mut(), 4096, protection, flags, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        // SAFETY: a page, zeroed, aligned and never unmapped, used as nothing but these atomics.
        unsafe { &*page.cast::<Self>() }
    }

    /// Before a launch.
    pub(crate) fn forget(&self) {
        self.is_over.store(0, Ordering::Relaxed);
    }

    /// The App starts now.
    pub(crate) fn say(&self) {
        self.time.store(now(), Ordering::Relaxed);
        self.is_over.store(1, Ordering::Release);
        self.futex(libc::FUTEX_WAKE, 1);
    }

    /// When the App started. Waits asleep: on a single processor a loop of `sched_yield` may keep the App from running for a
    /// quarter of a second (6.1).
    pub(crate) fn wait(&self) -> i64 {
        while self.is_over.load(Ordering::Acquire) == 0 {
            self.futex(libc::FUTEX_WAIT, 0);
        }
        self.time.load(Ordering::Relaxed)
    }

    fn futex(&self, operation: i32, value: u32) {
        let word = self.is_over.as_ptr();
        // SAFETY: the word is read, and not written, without a limit of time.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                word,
                operation,
                value,
                null::<libc::timespec>(),
            )
        };
    }
}
