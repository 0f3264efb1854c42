//! Namespaces.
#![allow(unsafe_code)]

use crate::arch::{syscall1, syscall2};
use crate::errno::{Result, ret};
use crate::fd::RawFd;
use crate::fs;
use linux_raw_sys::general as g;
use linux_raw_sys::ioctl as i;

pub use g::{CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS};

/// `setns(2)` of the calling thread; `kind` is one `CLONE_NEW*`.
pub fn setns(namespace: RawFd, kind: u32) -> Result<()> {
    // SAFETY: integers only; a namespace has no say over this process's memory or descriptors.
    ret(unsafe { syscall2(g::__NR_setns, namespace as usize, kind as usize) })?;
    Ok(())
}

/// `unshare(2)` of the calling thread; `kinds` are `CLONE_NEW*`.
pub fn unshare(kinds: u32) -> Result<()> {
    // SAFETY: integers only; with namespaces alone neither memory nor the descriptor table is unshared.
    ret(unsafe { syscall1(g::__NR_unshare, kinds as usize) })?;
    Ok(())
}

/// The kind of the namespace that a descriptor stands for, as its `CLONE_NEW*` flag (`ioctl_ns(2)`, 4.11).
///
/// # Errors
/// `ENOTTY` if it is no namespace, or the kernel older than 4.11.
pub fn kind_of(namespace: RawFd) -> Result<u32> {
    // Flags are below 1 << 32.
    fs::ioctl_int(namespace, i::NS_GET_NSTYPE, 0).map(|kind| kind as u32)
}
