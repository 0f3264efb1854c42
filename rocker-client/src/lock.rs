//! `Lock`: mutual exclusion between the threads of the host, which survives the host's forks.

use core::sync::atomic::{AtomicU32, Ordering};
use rocker_sys::{futex, process};

/// Somebody sleeps on the lock. Process ids are below 1 << 22 (`PID_MAX_LIMIT`).
const CONTENDED: u32 = 1 << 31;

/// A mutex whose word names the process that holds it. A fork copies it as it is, held perhaps by a thread that the copy
/// does not have: a holder of another process is nobody.
#[derive(Debug, Default)]
pub struct Lock(AtomicU32);

impl Lock {
    /// One that nobody holds.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Waits for it. Sections under it are a few system calls long.
    pub fn acquire(&self) -> Held<'_> {
        let me = process::pid().unsigned_abs();
        let mut mine = me;
        loop {
            match self
                .0
                .compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return Held(self),
                Err(holder) if holder & !CONTENDED != me => {
                    // Left over from before a fork. If two threads find it at once, one of them frees it.
                    self.0
                        .compare_exchange(holder, 0, Ordering::Relaxed, Ordering::Relaxed)
                        .unwrap_or_default();
                }
                Err(holder) => {
                    let contended = holder | CONTENDED;
                    let marked = holder == contended
                        || self
                            .0
                            .compare_exchange(
                                holder,
                                contended,
                                Ordering::Relaxed,
                                Ordering::Relaxed,
                            )
                            .is_ok();
                    if marked {
                        futex::wait(&self.0, contended);
                    }
                    // There may be more sleepers than this one: whoever slept says so when it takes the lock.
                    mine = me | CONTENDED;
                }
            }
        }
    }
}

/// The lock is this thread's until it is dropped.
#[derive(Debug)]
pub struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.0.0.swap(0, Ordering::Release) & CONTENDED != 0 {
            futex::wake_one(&self.0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn threads_take_turns() {
        static LOCK: Lock = Lock::new();
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        let _held = LOCK.acquire();
                        assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                        ROUNDS.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(INSIDE.fetch_sub(1, Ordering::SeqCst), 1);
                    }
                });
            }
        });
        assert_eq!(ROUNDS.load(Ordering::SeqCst), 40_000);
        assert_eq!(LOCK.0.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_holder_of_another_process_is_nobody() {
        let lock = Lock(AtomicU32::new(1 | CONTENDED));
        drop(lock.acquire());
        assert_eq!(lock.0.load(Ordering::SeqCst), 0);
    }
}
