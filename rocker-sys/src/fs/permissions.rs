//! Who owns a file, and its mode.
#![allow(unsafe_code)]

use super::AT_FDCWD;
use crate::arch::{syscall2, syscall3, syscall5};
use crate::errno::{Result, done};
use crate::fd::RawFd;
use core::ffi::CStr;
use linux_raw_sys::general as g;

/// 32-bit ids have a call of their own where the first one took 16 bits.
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
const NR_FCHOWN: u32 = g::__NR_fchown32;
#[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
const NR_FCHOWN: u32 = g::__NR_fchown;

/// `fchown(2)`
pub fn fchown(fd: RawFd, uid: u32, gid: u32) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall3(NR_FCHOWN, fd as usize, uid as usize, gid as usize) })
}

/// `fchmod(2)`
pub fn fchmod(fd: RawFd, mode: u32) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall2(g::__NR_fchmod, fd as usize, mode as usize) })
}

/// `chown(2)`, by a path that leads through `/proc/self/fd` to what was looked at.
pub fn chown(path: &CStr, uid: u32, gid: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe {
        syscall5(
            g::__NR_fchownat,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            uid as usize,
            gid as usize,
            0,
        )
    })
}

/// `chmod(2)`, by such a path.
pub fn chmod(path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe {
        syscall3(
            g::__NR_fchmodat,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            mode as usize,
        )
    })
}
