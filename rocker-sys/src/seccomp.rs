//! Filters of system calls (`seccomp(2)`).
#![allow(unsafe_code)]

use crate::arch::syscall3;
use crate::credentials::prctl;
use crate::errno::{Errno, Result, ret};
use linux_raw_sys::general as g;
use linux_raw_sys::prctl as p;
use linux_raw_sys::ptrace as t;

/// One instruction, as the kernel reads it: code, two jumps, and an operand.
pub const INSTRUCTION_SIZE: usize = size_of::<t::sock_filter>();

/// Puts a filter on this thread and all that it makes from now on (`PR_SET_SECCOMP`), for good. It takes no_new_privs.
///
/// # Errors
/// `EINVAL`: the kernel has no filters (`CONFIG_SECCOMP_FILTER`), or it is no program. `ENOMEM`.
pub fn install(program: &[u8]) -> Result<()> {
    let program = t::sock_fprog {
        // What is longer than the kernel takes it refuses, whatever this makes of it.
        len: (program.len() / INSTRUCTION_SIZE) as u16,
        filter: program.as_ptr().cast_mut().cast(),
    };
    // The alignment of what it points to does not matter to the kernel.
    set(&raw const program as usize)
}

fn set(program: usize) -> Result<()> {
    prctl(p::PR_SET_SECCOMP, t::SECCOMP_MODE_FILTER as usize, program)
}

/// Has the kernel filters at all? Nothing is installed.
///
/// # Errors
/// `EINVAL`: it has none.
pub fn is_there() -> Result<()> {
    match set(0) {
        Err(Errno::EFAULT) => Ok(()),
        result => result,
    }
}

/// Does the kernel know this answer of a filter, `SECCOMP_RET_*` (`SECCOMP_GET_ACTION_AVAIL`, 4.14)? What it does not know
/// kills.
pub fn knows_action(action: u32) -> bool {
    let operation = t::SECCOMP_GET_ACTION_AVAIL as usize;
    // SAFETY: the kernel reads one 32-bit number.
    ret(unsafe { syscall3(g::__NR_seccomp, operation, 0, (&raw const action) as usize) }).is_ok()
}
