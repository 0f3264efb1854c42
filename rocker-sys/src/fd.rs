//! `Fd`: a descriptor that this process owns.
#![allow(unsafe_code)]

use crate::arch::{syscall1, syscall3};
use crate::errno::{Result, ret};
use core::ffi::CStr;
use linux_raw_sys::general as g;

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

/// Closes every descriptor from `first` on, whoever owns it (`close_range(2)`, 5.9; before that, one by one up to the
/// highest that may be open).
///
/// # Safety
/// No [`Fd`] at or above `first` is used or dropped afterwards.
pub unsafe fn close_from(first: RawFd) -> Result<()> {
    // SAFETY: the caller's promise.
    if ret(unsafe { syscall3(g::__NR_close_range, first as usize, u32::MAX as usize, 0) }).is_ok() {
        return Ok(());
    }
    let limit = crate::process::open_files_limit()?;
    for fd in (first as usize)..limit {
        // SAFETY: the caller's promise; EBADF for a number that is not open is what we expect.
        unsafe { syscall1(g::__NR_close, fd) };
    }
    Ok(())
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
