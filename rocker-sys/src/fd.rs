//! `Fd`: a descriptor that this process owns.
#![allow(unsafe_code)]

use crate::arch::{syscall1, syscall3};
use crate::errno::{Result, ret};
use crate::text::StackPath;
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

/// Makes `to` a copy of `from`, inherited by what is executed next (`dup3(2)`).
///
/// # Safety
/// No [`Fd`] owns `to`.
pub unsafe fn dup_to(from: RawFd, to: RawFd) -> Result<()> {
    // SAFETY: integers only; whatever `to` was is closed, which is the caller's promise.
    ret(unsafe { syscall3(g::__NR_dup3, from as usize, to as usize, 0) })?;
    Ok(())
}

/// `/proc/self/fd/N` as a C string: hands an open descriptor to a call that wants a path, so that the path is never
/// resolved a second time and its characters never mean anything.
#[derive(Clone, Copy, Debug)]
pub struct ProcPath(Option<StackPath<32>>);

impl ProcPath {
    /// The path of this descriptor.
    pub fn new(fd: RawFd) -> Self {
        Self(StackPath::numbered(b"/proc/self/fd/", fd.unsigned_abs(), b"").ok())
    }

    /// As the path of a system call.
    pub fn as_c_str(&self) -> &CStr {
        // The prefix and ten digits always fit, so there is a path.
        self.0.as_ref().map_or(c"", StackPath::as_c_str)
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
