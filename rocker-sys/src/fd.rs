//! `Fd`: a descriptor that this process owns.
#![allow(unsafe_code)]

use crate::arch::{syscall1, syscall3};
use crate::errno::{Errno, Result, ret};
use crate::fs;
use core::ffi::CStr;
use linux_raw_sys::general as g;

#[cfg(target_pointer_width = "64")]
const NR_FCNTL: u32 = g::__NR_fcntl;
#[cfg(target_pointer_width = "32")]
const NR_FCNTL: u32 = g::__NR_fcntl64;

/// `include/uapi/linux/close_range.h`, which linux-raw-sys leaves out.
const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;

/// A descriptor's number, owned by somebody else. A wrong one is `EBADF`, never undefined behaviour.
pub type RawFd = i32;

/// An owned descriptor, closed once, when it is dropped.
#[derive(Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Fd(RawFd);

impl Fd {
    /// Takes ownership of a descriptor.
    ///
    /// # Safety
    /// The descriptor is open, and nobody else closes it.
    pub const unsafe fn from_raw(fd: RawFd) -> Self {
        Self(fd)
    }

    /// The number, still owned by `self`.
    pub const fn raw(&self) -> RawFd {
        self.0
    }

    /// The number, no longer owned by anybody: whoever gets it closes it.
    pub const fn into_raw(self) -> RawFd {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }

    /// Decodes a system call that returns a new descriptor.
    pub(crate) fn from_ret(value: usize) -> Result<Self> {
        // Descriptors are non-negative ints: the kernel refuses more than `INT_MAX` of them.
        ret(value).map(|fd| Self(fd as RawFd))
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: `self` owns the descriptor, so nobody else loses it. Errors of close(2) are of no use: on Linux the
        // descriptor is gone in any case.
        unsafe { syscall1(g::__NR_close, self.0 as usize) };
    }
}

/// Makes `to` a copy of `from`, inherited by what is executed next (`dup3(2)`).
///
/// # Safety
/// No [`Fd`] owns `to`.
pub unsafe fn dup_to(from: RawFd, to: RawFd) -> Result<()> {
    // SAFETY: integers only; whatever `to` was is closed, which is the caller's promise.
    ret(unsafe { syscall3(g::__NR_dup3, from as usize, to as usize, 0) })?;
    Ok(())
}

/// Closes every descriptor but those in `keep`, whoever owns them.
///
/// # Safety
/// No [`Fd`] of another number is used or dropped afterwards.
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
        ret(unsafe { syscall3(NR_FCNTL, *fd as usize, g::F_SETFD as usize, 0) })?;
    }
    Ok(())
}

/// `close_range(2)` (5.9; its flag 5.11); before that, one by one, as `/proc/self/fd` lists them.
///
/// # Safety
/// If it closes: no [`Fd`] in the range is used or dropped afterwards.
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
        Err(Errno::ENOSYS | Errno::EINVAL) => unsafe { close_listed(first, last, flags) },
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
        let numbers = fs::DirEntries::new(filled).filter_map(|entry| number(entry.name));
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
    digits.iter().try_fold(0i32, |value, byte| {
        let digit = i32::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// `/proc/self/fd/N` as a C string: hands an open descriptor to a call that wants a path, so that the path is never
/// resolved a second time and its characters never mean anything.
#[derive(Clone, Copy)]
pub struct ProcPath {
    bytes: [u8; Self::SIZE],
}

impl ProcPath {
    const PREFIX: &[u8] = b"/proc/self/fd/";
    /// The prefix, ten digits and the NUL.
    const SIZE: usize = 25;

    /// The path of this descriptor.
    pub fn new(fd: RawFd) -> Self {
        let mut bytes = [0; Self::SIZE];
        let mut number = fd.unsigned_abs();
        // Digits from the last to the first, then moved to the front: no division by a variable, no bounds to fail.
        let mut digits = [0u8; 10];
        let mut count = 0;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (number % 10) as u8;
            number /= 10;
            count += 1;
            if number == 0 {
                break;
            }
        }
        let digits = digits.iter().skip(10 - count);
        for (slot, byte) in bytes.iter_mut().zip(Self::PREFIX.iter().chain(digits)) {
            *slot = *byte;
        }
        Self { bytes }
    }

    /// As the path of a system call.
    pub fn as_c_str(&self) -> &CStr {
        // The array holds at most 24 bytes that are not NUL, so there is always one to find.
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_path_holds_every_number() {
        assert_eq!(ProcPath::new(0).as_c_str(), c"/proc/self/fd/0");
        assert_eq!(ProcPath::new(10).as_c_str(), c"/proc/self/fd/10");
        assert_eq!(
            ProcPath::new(i32::MAX).as_c_str(),
            c"/proc/self/fd/2147483647"
        );
    }
}
