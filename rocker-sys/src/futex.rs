//! Sleeping until a word in memory changes.
#![allow(unsafe_code)]

use crate::arch::{syscall3, syscall4};
use core::sync::atomic::AtomicU32;
use linux_raw_sys::general as g;

/// Sleeps while the word has this value (`futex(2)`). It may also come back for no reason: look at the word again.
pub fn wait(word: &AtomicU32, value: u32) {
    let operation = (g::FUTEX_WAIT | g::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the kernel only reads the word, which is borrowed; a null timeout is none. Errors are wake-ups.
    unsafe {
        syscall4(
            g::__NR_futex,
            word.as_ptr() as usize,
            operation,
            value as usize,
            0,
        )
    };
}

/// Wakes one that sleeps on the word.
pub fn wake_one(word: &AtomicU32) {
    let operation = (g::FUTEX_WAKE | g::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the kernel uses the address as a name only.
    unsafe { syscall3(g::__NR_futex, word.as_ptr() as usize, operation, 1) };
}
