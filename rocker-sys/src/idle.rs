//! Waiting with next to nothing of the process in memory.
//!
//! A guard waits for as long as its App runs, and there may be a thousand of them. The stack below the frame that waits the
//! kernel need not keep for it. (The program's own pages are shared by all of them and the master: to give those back would
//! move them from one account to another.)
#![allow(unsafe_code)]

use crate::arch::{syscall3, syscall6};
use crate::fd::RawFd;
use core::ops::Range;
use linux_raw_sys::general as g;

/// Where pages are larger, the kernel refuses what does not start at one (`EINVAL`), and all stays as it was.
const PAGE: usize = 4096;

/// Gives back what is in memory of a range that nobody else has changed or will read (`MADV_DONTNEED` of `madvise(2)`), but
/// for a page that lies in it only in part.
///
/// # Safety
/// Whatever is in the range is not used again.
pub unsafe fn release(range: Range<usize>) {
    let start = range.start.wrapping_add(PAGE - 1) & !(PAGE - 1);
    let len = (range.end & !(PAGE - 1)).saturating_sub(start);
    // SAFETY: the caller's promise. What is not mapped is passed over.
    unsafe { syscall3(g::__NR_madvise, start, len, g::MADV_DONTNEED as usize) };
}

/// `epoll_pwait(2)` into `capacity` events, with the stack below given back before.
///
/// # Safety
/// `events` has room for so many. This runs on the process's first stack, and no signal handler does.
#[inline(never)]
pub(crate) unsafe fn epoll_pwait(
    epoll: RawFd,
    events: *mut g::epoll_event,
    capacity: usize,
    timeout_ms: i32,
) -> usize {
    /// More stack than calls before can have used, in bytes.
    const REACH: usize = 512 * 1024;
    /// More than this function's frame has below its locals, and the ABI's red zone, together.
    const FRAME: usize = 512;
    let here = 0u8;
    let stack = (&raw const here as usize).wrapping_sub(FRAME);
    // SAFETY: stacks grow down on every architecture that Rust has for Linux, so what lies below this frame, which calls
    // nothing, is in no frame. The kernel maps nothing else within 128 MB below the first stack (`mmap_base`).
    unsafe { release(stack.wrapping_sub(REACH)..stack) };
    // SAFETY: the kernel writes at most `capacity` structures, which is the caller's promise; a null mask changes no mask.
    unsafe {
        syscall6(
            g::__NR_epoll_pwait,
            epoll as usize,
            events as usize,
            capacity,
            timeout_ms as usize,
            0,
            8,
        )
    }
}
