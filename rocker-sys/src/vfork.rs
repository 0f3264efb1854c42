//! A child that borrows its parent's memory until it executes a program: making it costs the same whatever the parent's
//! size.
#![allow(unsafe_code)]

use crate::arch;
use crate::errno::{Result, ret};
use crate::memory::Pages;
use core::ffi::c_void;
use core::ptr::null_mut;
use linux_raw_sys::general as g;

/// What the child runs, with the argument that was given to [`Stack::spawn`].
pub type Entry = unsafe extern "C" fn(*mut c_void) -> !;

/// Room for the child's own calls, in bytes. Only the pages that it touches cost anything: one or two in a release build.
const STACK_SIZE: usize = 64 * 1024;

/// What the child runs on.
#[derive(Debug)]
pub struct Stack(Pages);

impl Stack {
    /// An empty one.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        Pages::new(STACK_SIZE).map(Self)
    }

    /// Makes a child on this stack, gives its id, and sleeps until it has executed a program or ended
    /// (`clone(2)`, `CLONE_VM | CLONE_VFORK`). It has descriptors, signal dispositions and working directory of its own.
    /// `exit_signal` is what it sends when it ends; with 0 nobody hears of it who does not ask for it (`__WALL`), unless it
    /// executes a program, which makes it `SIGCHLD` (`execve(2)`).
    ///
    /// # Safety
    /// * `entry` leaves by execve or `exit_group`, and touches nothing of this process's memory but `argument`.
    /// * Every signal is blocked in the calling thread: a handler that ran in the child would run on the parent's data.
    /// * The stack is dropped when the child, and what it has [made in turn](spawn_sibling), have left it. Children that are
    ///   not killed have done so when this is back.
    pub unsafe fn spawn(
        &mut self,
        exit_signal: u32,
        entry: Entry,
        argument: *mut c_void,
    ) -> Result<i32> {
        // Mappings start at a page, so the top is aligned for every ABI.
        let top = self.0.as_mut_slice().as_mut_ptr_range().end;
        let flags = g::CLONE_VM | g::CLONE_VFORK | exit_signal;
        // SAFETY: nobody uses the stack but this child. The rest is the caller's promise.
        let value =
            unsafe { arch::clone_vfork(flags as usize, top.cast(), entry, argument, null_mut()) };
        ret(value).map(|pid| pid as i32)
    }
}

/// In such a child: makes another one, further down on the same stack, which is a child of this one's parent, with the exit
/// signal that this one has (`CLONE_PARENT`), and sleeps until it has executed a program or ended. Before that one runs, the
/// kernel writes its id, as this one sees it, to `child_id`.
///
/// # Safety
/// As [`Stack::spawn`], and `child_id` may be written.
// Its frame is what the new stack starts below.
#[inline(never)]
pub unsafe fn spawn_sibling(entry: Entry, argument: *mut c_void, child_id: *mut i32) -> Result<()> {
    /// More than this frame, which calls nothing, has below its local, and the red zone of the ABI, together.
    const FRAME: usize = 512;
    let here = 0u8;
    let top = (&raw const here as usize).wrapping_sub(FRAME) & !15;
    let flags = g::CLONE_VM | g::CLONE_VFORK | g::CLONE_PARENT | g::CLONE_PARENT_SETTID;
    // SAFETY: what lies below this frame is nobody's, and stays so: this process sleeps. The rest is the caller's promise.
    let value = unsafe {
        arch::clone_vfork(
            flags as usize,
            top as *mut c_void,
            entry,
            argument,
            child_id,
        )
    };
    ret(value)?;
    Ok(())
}
