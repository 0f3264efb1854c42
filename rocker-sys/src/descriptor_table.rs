//! The table of all descriptors of this process, whoever owns them.
#![allow(unsafe_code)]

use crate::OLD_KERNELS;
use crate::arch::{syscall1, syscall3};
use crate::errno::{Errno, Result, done, ret};
use crate::fd::RawFd;
use crate::fs::{self, NR_FCNTL};
use crate::text::parse_decimal;
use linux_raw_sys::general as g;

/// `include/uapi/linux/close_range.h`, which linux-raw-sys leaves out.
const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;

/// Closes every descriptor but those in `keep`, whoever owns them.
///
/// # Safety
/// No [`Fd`](crate::Fd) of another number is used or dropped afterwards.
pub unsafe fn close_all_but(keep: &[RawFd]) -> Result<()> {
    let mut first: RawFd = 0;
    loop {
        let next = keep.iter().copied().filter(|fd| *fd >= first).min();
        let last = next.map_or(RawFd::MAX, |fd| fd.wrapping_sub(1));
        if first <= last {
            // SAFETY: the caller's promise.
            unsafe { close_range(first, last, 0) }?;
        }
        let Some(next) = next else { return Ok(()) };
        first = next.wrapping_add(1);
    }
}

/// Marks every descriptor from `first` on close-on-exec, but for those in `keep`.
pub fn close_on_exec_from(first: RawFd, keep: &[RawFd]) -> Result<()> {
    // SAFETY: nothing is closed now.
    unsafe { close_range(first, RawFd::MAX, CLOSE_RANGE_CLOEXEC) }?;
    for fd in keep {
        // SAFETY: integers only: the flags of a descriptor. EBADF names the caller's mistake.
        done(unsafe { syscall3(NR_FCNTL, *fd as usize, g::F_SETFD as usize, 0) })?;
    }
    Ok(())
}

/// `close_range(2)` (5.9; its flag 5.11); before that, one by one, as `/proc/self/fd` lists them.
///
/// # Safety
/// If it closes: no [`Fd`](crate::Fd) in the range is used or dropped afterwards.
unsafe fn close_range(first: RawFd, last: RawFd, flags: u32) -> Result<()> {
    // SAFETY: the caller's promise.
    match ret(unsafe {
        syscall3(
            g::__NR_close_range,
            first as usize,
            last as usize,
            flags as usize,
        )
    }) {
        // SAFETY: the caller's promise.
        Err(Errno::ENOSYS | Errno::EINVAL) if OLD_KERNELS => unsafe {
            close_listed(first, last, flags)
        },
        result => result.map(drop),
    }
}

/// # Safety
/// As [`close_range`].
unsafe fn close_listed(first: RawFd, last: RawFd, flags: u32) -> Result<()> {
    let list = fs::open(c"/proc/self/fd", g::O_RDONLY | g::O_DIRECTORY)?;
    let mut buffer = [0; 1024];
    loop {
        let filled = fs::getdents64(list.raw(), &mut buffer)?;
        let filled = buffer.get(..filled).unwrap_or_default();
        if filled.is_empty() {
            return Ok(());
        }
        let numbers = fs::DirEntries::new(filled).filter_map(|entry| number(entry.name.to_bytes()));
        for fd in numbers.filter(|fd| (first..=last).contains(fd) && *fd != list.raw()) {
            if flags == 0 {
                // SAFETY: the caller's promise.
                unsafe { syscall1(g::__NR_close, fd as usize) };
            } else {
                // SAFETY: integers only: the flags of a descriptor.
                unsafe {
                    syscall3(
                        NR_FCNTL,
                        fd as usize,
                        g::F_SETFD as usize,
                        g::FD_CLOEXEC as usize,
                    )
                };
            }
        }
    }
}

/// A decimal number; `.` and `..` are none.
fn number(digits: &[u8]) -> Option<RawFd> {
    parse_decimal(digits)?.try_into().ok()
}
