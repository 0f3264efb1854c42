//! The dumpable flag of the host, which a path launch takes away for a moment.
//!
//! The child of a path launch changes its identity while it shares the host's memory, and the kernel then clears the flag
//! of that memory, that is, the host's (`PR_SET_DUMPABLE`): the host could no longer be traced or open its own
//! `/proc/self/mem`. So it is put back when the last such child is done. While one is on its way the host is not
//! dumpable, which is as it should be: the child is a privileged process inside the sandbox.

use crate::lock::Lock;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};
use rocker_sys::{credentials, process};

static LOCK: Lock = Lock::new();
/// How many path launches of this process are on their way.
static BORROWERS: AtomicU32 = AtomicU32::new(0);
/// Was the host dumpable before the first of them?
static WAS: AtomicBool = AtomicBool::new(false);
/// The process that counts: a fork copies the count of launches that it has not got.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Runs `launch`, which may clear the flag, and leaves the flag as it was.
pub(crate) fn keep<T>(launch: impl FnOnce() -> T) -> T {
    {
        let _held = LOCK.acquire();
        let me = process::pid();
        if OWNER.swap(me, Relaxed) != me {
            BORROWERS.store(0, Relaxed);
        }
        if BORROWERS.fetch_add(1, Relaxed) == 0 {
            WAS.store(credentials::is_dumpable().unwrap_or(false), Relaxed);
        }
    }
    let result = launch();
    let _held = LOCK.acquire();
    if BORROWERS.fetch_sub(1, Relaxed) == 1 && WAS.load(Relaxed) {
        // 1 is always allowed (prctl(2)).
        credentials::set_dumpable(true).unwrap_or_default();
    }
    result
}
