//! A child that borrows its parent's memory until it executes a program: making it costs the same whatever the parent's
//! size.
#![allow(unsafe_code)]

use crate::arch;
use crate::errno::{Result, ret};
use crate::memory::Pages;
use core::ffi::c_void;
use linux_raw_sys::general as g;

/// What the child runs, with the argument that was given to [`spawn`].
pub type Entry = unsafe extern "C" fn(*mut c_void) -> !;

/// Room for the child's own calls, in bytes. Only the pages that it touches cost anything: one or two in a release build.
const STACK_SIZE: usize = 64 * 1024;

/// Makes a child on a stack of its own, gives its id, and sleeps until it has executed a program or ended
/// (`clone(2)`, `CLONE_VM | CLONE_VFORK`). It has descriptors, signal dispositions and working directory of its own.
///
/// # Safety
/// * `entry` leaves by execve or `exit_group`, and touches nothing of this process's memory but `argument`.
/// * Every signal is blocked in the calling thread: a handler that ran in the child would run on the parent's data.
pub unsafe fn spawn(entry: Entry, argument: *mut c_void) -> Result<i32> {
    let mut stack = Pages::new(STACK_SIZE)?;
    // Mappings start at a page, so the top is aligned for every ABI.
    let top = stack.as_mut_slice().as_mut_ptr_range().end;
    let flags = g::CLONE_VM | g::CLONE_VFORK | g::SIGCHLD;
    // SAFETY: the stack lives until the call is back, that is, until the child has left it (CLONE_VFORK). The rest is the
    // caller's promise.
    let value = unsafe { arch::clone_vfork(flags as usize, top.cast(), entry, argument) };
    ret(value).map(|pid| pid as i32)
}
