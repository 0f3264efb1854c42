//! Waiting for children.
#![allow(unsafe_code)]

use crate::arch::syscall5;
use crate::errno::{Result, done};
use linux_raw_sys::general as g;

/// How a child changed, as `waitid(2)` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It called exit with this status.
    Exited(i32),
    /// This signal ended it.
    Killed(i32),
    /// This signal stopped it (only if stops are waited for).
    Stopped(i32),
}

/// Which children [`wait`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Any.
    Any,
    /// The one with this id.
    Pid(i32),
    /// Any of the process group with this id.
    Group(i32),
}

/// The layout of `siginfo_t` for SIGCHLD: `signo`, `errno`, `code`, then, after padding to a word, pid, uid, status
/// (`include/uapi/asm-generic/siginfo.h`; mips swaps errno and code).
#[repr(C)]
struct ChildInfo {
    signo: i32,
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
    errno: i32,
    code: i32,
    #[cfg(any(target_arch = "mips", target_arch = "mips64"))]
    errno: i32,
    #[cfg(target_pointer_width = "64")]
    padding: i32,
    pid: i32,
    uid: u32,
    status: i32,
    rest: [u32; 26],
}

const _: () = assert!(size_of::<ChildInfo>() >= size_of::<g::siginfo>());

/// Waits for a child of whatever exit signal and takes it off the table (`waitid(2)`).
///
/// `Ok(None)`: with `WNOHANG`, none has changed.
///
/// # Errors
/// `ECHILD`: there is no such child. `EINTR`: a signal came first.
pub fn wait(which: Which, flags: u32) -> Result<Option<(i32, Ended)>> {
    let (kind, id) = match which {
        Which::Any => (g::P_ALL, 0),
        Which::Pid(pid) => (g::P_PID, pid),
        Which::Group(group) => (g::P_PGID, group),
    };
    let flags = flags | g::WEXITED | g::__WALL;
    // SAFETY: integers only, for which zero is a value.
    let mut info: ChildInfo = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel writes at most one siginfo_t, and `info` is as large; a null rusage is not written.
    done(unsafe {
        syscall5(
            g::__NR_waitid,
            kind as usize,
            id as usize,
            (&raw mut info) as usize,
            flags as usize,
            0,
        )
    })?;
    if info.pid == 0 {
        return Ok(None);
    }
    // CLD_EXITED, CLD_STOPPED, CLD_TRAPPED; CLD_KILLED and CLD_DUMPED remain.
    let ended = match info.code {
        1 => Ended::Exited(info.status),
        4 | 5 => Ended::Stopped(info.status),
        _ => Ended::Killed(info.status),
    };
    Ok(Some((info.pid, ended)))
}

/// Waits for this child to end and takes it off the table (`waitid(2)`); how it ended is not asked.
///
/// # Errors
/// As [`wait`].
pub fn reap(pid: i32) -> Result<()> {
    take(pid, g::WEXITED | g::__WALL)
}

/// The same, if this child has never executed a program and has no exit signal.
///
/// # Errors
/// `ECHILD`: it has, or it is no child.
pub fn reap_unexecuted(pid: i32) -> Result<()> {
    take(pid, g::WEXITED | g::__WCLONE)
}

fn take(pid: i32, flags: u32) -> Result<()> {
    // SAFETY: integers only; a null siginfo and a null rusage are not written.
    done(unsafe {
        syscall5(
            g::__NR_waitid,
            g::P_PID as usize,
            pid as usize,
            0,
            flags as usize,
            0,
        )
    })
}
