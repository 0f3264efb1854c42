//! The last failure of each thread, for `ROCKER_last_failure`.

use core::ffi::c_void;
use core::num::NonZeroU32;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
use rocker_client::{Failure, Lock, Stage};

/// The key of the threads' values, plus one; 0 is none yet. A key of its own and not `thread_local`, which a no_std library
/// has not got.
static KEY: AtomicU32 = AtomicU32::new(0);

/// A failure in the 32 bits of the smallest pointer: the whole index; error numbers, of which programs see none above 511;
/// and stages, of which there are fewer than 128.
const INDEX_BITS: u32 = 16;
const ERRNO_BITS: u32 = 9;
const ERRNO_MASK: u32 = (1 << ERRNO_BITS) - 1;

fn to_bits(failure: &Failure) -> u32 {
    let errno = failure.errno.unsigned_abs() & ERRNO_MASK;
    let stage = u32::from(failure.stage.raw());
    stage << (ERRNO_BITS + INDEX_BITS) | errno << INDEX_BITS | u32::from(failure.index)
}

fn from_bits(bits: u32) -> Failure {
    Failure {
        stage: Stage::from_raw((bits >> (ERRNO_BITS + INDEX_BITS)) as u16),
        errno: (bits >> INDEX_BITS & ERRNO_MASK).cast_signed(),
        index: bits as u16,
    }
}

/// The process's key plus one, made by whichever thread comes first.
fn key() -> Option<NonZeroU32> {
    NonZeroU32::new(KEY.load(Ordering::Acquire)).or_else(make_key)
}

/// Under a lock, for two threads may come first: a key too many would have to be deleted again, by one more function of
/// libc's.
fn make_key() -> Option<NonZeroU32> {
    static LOCK: Lock = Lock::new();
    let _held = LOCK.acquire();
    let mut key = KEY.load(Ordering::Relaxed);
    if key == 0 {
        // SAFETY: the key is written to our variable; without a destructor nothing of this library runs when a thread ends.
        if unsafe { libc::pthread_key_create(&raw mut key, None) } != 0 {
            return None;
        }
        key = key.wrapping_add(1);
        KEY.store(key, Ordering::Release);
    }
    NonZeroU32::new(key)
}

/// Remembers a failure of this thread, and hands it on.
pub(crate) fn set(failure: Failure) -> Failure {
    if let Some(key) = key() {
        let value: *const c_void = ptr::without_provenance(to_bits(&failure) as usize);
        // SAFETY: the key is ours. Without memory for the value the last failure stays the one before.
        unsafe { libc::pthread_setspecific(key.get().wrapping_sub(1), value) };
    }
    failure
}

/// This thread's last failure; the stage `ready` if it has had none.
pub(crate) fn get() -> Failure {
    let Some(key) = key() else {
        return Failure::new(Stage::READY, 0);
    };
    // SAFETY: the key is ours.
    let value = unsafe { libc::pthread_getspecific(key.get().wrapping_sub(1)) };
    match value.addr() as u32 {
        0 => Failure::new(Stage::READY, 0),
        bits => from_bits(bits),
    }
}
