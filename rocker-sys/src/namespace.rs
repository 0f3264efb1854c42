//! Namespaces.
#![allow(unsafe_code)]

use crate::arch::{syscall1, syscall2};
use crate::errno::{Result, done};
use crate::fd::RawFd;
use linux_raw_sys::general as g;

pub use g::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER,
    CLONE_NEWUTS,
};

/// `setns(2)` of the calling thread; `kind` is one `CLONE_NEW*`.
#[inline(never)] // smaller by itself
pub fn setns(namespace: RawFd, kind: u32) -> Result<()> {
    // SAFETY: integers only; a namespace has no say over this process's memory or descriptors.
    done(unsafe { syscall2(g::__NR_setns, namespace as usize, kind as usize) })
}

/// `unshare(2)` of the calling thread; `kinds` are `CLONE_NEW*`.
pub fn unshare(kinds: u32) -> Result<()> {
    // SAFETY: integers only; with namespaces alone neither memory nor the descriptor table is unshared.
    done(unsafe { syscall1(g::__NR_unshare, kinds as usize) })
}
