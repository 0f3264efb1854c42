//! Processes: make them, wait for them, signal them, end.
#![allow(unsafe_code)]

mod wait;

pub use wait::{Ended, Which, reap, reap_unexecuted, wait};

use crate::OLD_KERNELS;
use crate::arch::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5};
use crate::errno::{Errno, Result, done, ret};
use crate::fd::{Fd, RawFd};
use core::ffi::{CStr, c_char};
use linux_raw_sys::general as g;

/// Which side of a clone this is.
#[derive(Debug)]
pub enum Cloned {
    /// The caller.
    Parent {
        /// The child's process id, in the caller's pid namespace.
        pid: i32,
        /// The child's pidfd, where the kernel has clone3 (5.3) and so pidfds that can be waited for.
        pidfd: Option<Fd>,
    },
    /// The new process.
    Child,
}

/// Makes a copy of this process in new namespaces (`clone3(2)`; `clone(2)` before 5.3, without a pidfd).
///
/// With a pidfd the child sends `exit_signal` when it ends, or none for 0; without one it sends `SIGCHLD`.
///
/// # Safety
/// The process has one thread. The child owns copies of all descriptors: it drops no [`Fd`] that it means to keep and
/// leaves by [`exit`].
pub unsafe fn clone(namespaces: u32, exit_signal: u32) -> Result<Cloned> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is a value.
    let mut args: g::clone_args = unsafe { core::mem::zeroed() };
    args.flags = (namespaces | g::CLONE_PIDFD).into();
    args.pidfd = (&raw mut pidfd) as usize as u64;
    args.exit_signal = exit_signal.into();
    // SAFETY: without CLONE_VM the child gets a copy of the memory and this very stack; the kernel writes one int to
    // `pidfd`, in the parent. The rest is the caller's promise.
    let value = unsafe {
        syscall2(
            g::__NR_clone3,
            (&raw const args) as usize,
            size_of::<g::clone_args>(),
        )
    };
    match ret(value) {
        Ok(0) => Ok(Cloned::Child),
        Ok(pid) => {
            // SAFETY: the kernel has just made this descriptor for us.
            let pidfd = Some(unsafe { Fd::from_raw(pidfd) });
            let pid = pid as i32;
            Ok(Cloned::Parent { pid, pidfd })
        }
        // SAFETY: the caller's promise.
        Err(Errno::ENOSYS) if OLD_KERNELS => unsafe { clone_without_pidfd(namespaces) },
        Err(errno) => Err(errno),
    }
}

/// # Safety
/// As [`clone`].
unsafe fn clone_without_pidfd(namespaces: u32) -> Result<Cloned> {
    let flags = (namespaces | g::SIGCHLD) as usize;
    // SAFETY: a null stack means that the child goes on on a copy of this one; the rest is the caller's promise.
    match ret(unsafe { syscall5(g::__NR_clone, flags, 0, 0, 0, 0) })? {
        0 => Ok(Cloned::Child),
        pid => {
            let pid = pid as i32;
            Ok(Cloned::Parent { pid, pidfd: None })
        }
    }
}

/// Makes a copy of this process in new namespaces that is a child of this process's own parent (`clone(2)`,
/// `CLONE_PARENT`), with the exit signal that this process has. Says whether this is the copy.
///
/// # Safety
/// As [`clone`].
pub unsafe fn clone_sibling(namespaces: u32) -> Result<bool> {
    let flags = (namespaces | g::CLONE_PARENT) as usize;
    // SAFETY: a null stack means that the child goes on on a copy of this one; the rest is the caller's promise.
    Ok(ret(unsafe { syscall5(g::__NR_clone, flags, 0, 0, 0, 0) })? == 0)
}

/// Makes a copy of this process that is a child of this process's own parent, with the exit signal that this process has,
/// and in the pid namespace where it is born with the number that this process has in its own: what libc keeps of the one
/// holds for the other. Gives its process id, as this process sees it, and 0 in the copy.
///
/// # Safety
/// As [`clone`].
///
/// # Errors
/// `ENOSYS`, and before Linux 5.5 `E2BIG`: the kernel cannot. `EEXIST`: somebody there has the number.
pub unsafe fn clone_sibling_alike() -> Result<i32> {
    let number = self::pid();
    // SAFETY: all fields are integers, for which zero is a value.
    let mut args: g::clone_args = unsafe { core::mem::zeroed() };
    args.flags = g::CLONE_PARENT.into();
    args.set_tid = (&raw const number) as usize as u64;
    args.set_tid_size = 1;
    // SAFETY: without CLONE_VM the child gets a copy of the memory and this very stack; the kernel reads the arguments and
    // one int. The rest is the caller's promise.
    let value = unsafe {
        syscall2(
            g::__NR_clone3,
            (&raw const args) as usize,
            size_of::<g::clone_args>(),
        )
    };
    Ok(ret(value)? as i32)
}

/// Puts a child that has not executed anything into a process group of its own, which has its number (`setpgid(2)`).
pub fn set_group(child: i32) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall2(g::__NR_setpgid, child as usize, child as usize) })
}

/// `getpid(2)`, in the process's own pid namespace.
pub fn pid() -> i32 {
    // SAFETY: no argument, no effect, never fails; process ids are ints.
    unsafe { syscall0(g::__NR_getpid) as i32 }
}

/// A pidfd of a process (`pidfd_open(2)`, 5.3).
pub fn pidfd_open(pid: i32) -> Result<Fd> {
    // SAFETY: integers only.
    Fd::from_ret(unsafe { syscall2(g::__NR_pidfd_open, pid as usize, 0) })
}

/// Sends a signal by pidfd (`pidfd_send_signal(2)`, 5.1); 0 only asks.
pub fn pidfd_send_signal(pidfd: RawFd, signal: u32) -> Result<()> {
    // SAFETY: integers and a null siginfo.
    done(unsafe {
        syscall4(
            g::__NR_pidfd_send_signal,
            pidfd as usize,
            signal as usize,
            0,
            0,
        )
    })
}

/// `kill(2)`
pub fn kill(pid: i32, signal: u32) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall2(g::__NR_kill, pid as usize, signal as usize) })
}

/// Ends the process, all its threads, now (`exit_group(2)`).
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: nothing of this process is used after it; the call does not return.
        unsafe { syscall1(g::__NR_exit_group, status as usize) };
    }
}

/// `execve(2)`. Comes back only with an error.
///
/// # Safety
/// `argv` and `envp` are arrays of NUL-terminated strings that end with a null pointer.
pub unsafe fn execve(path: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: the caller's promise; on success nothing of this program is left, on failure nothing has changed.
    let value = unsafe {
        syscall3(
            g::__NR_execve,
            path.as_ptr() as usize,
            argv as usize,
            envp as usize,
        )
    };
    match ret(value) {
        Ok(_) => Errno::EPROTO,
        Err(errno) => errno,
    }
}

/// Raises `RLIMIT_NOFILE` to what the hard limit allows; says what it is now.
pub fn raise_open_files_limit() -> Result<u64> {
    let mut limit = [0u64; 2];
    let address = limit.as_mut_ptr() as usize;
    // SAFETY: a null new limit changes nothing; the kernel writes one struct rlimit64, two 64-bit integers.
    done(unsafe { syscall4(g::__NR_prlimit64, 0, g::RLIMIT_NOFILE as usize, 0, address) })?;
    limit[0] = limit[1];
    // SAFETY: the kernel reads one struct rlimit64 and writes none.
    done(unsafe {
        syscall4(
            g::__NR_prlimit64,
            0,
            g::RLIMIT_NOFILE as usize,
            limit.as_ptr() as usize,
            0,
        )
    })?;
    Ok(limit[0])
}

/// The file creation mask (`umask(2)`); gives the old one.
pub fn umask(mask: u32) -> u32 {
    // SAFETY: integers only; never fails, and masks are nine bits.
    unsafe { syscall1(g::__NR_umask, mask as usize) as u32 }
}

/// A session of its own, without a controlling terminal (`setsid(2)`).
pub fn setsid() -> Result<()> {
    // SAFETY: no argument.
    ret(unsafe { syscall0(g::__NR_setsid) })?;
    Ok(())
}

/// `uname(2)`: the release, as in `6.1.0-rc3`, cut at the buffer's length.
pub fn kernel_release(buffer: &mut [u8]) -> Result<usize> {
    // struct new_utsname: six fields of 65 bytes, release being the third.
    const FIELD: usize = 65;
    let mut names = [0u8; FIELD * 6];
    // SAFETY: the kernel writes one struct new_utsname, which is as large as `names`.
    done(unsafe { syscall1(g::__NR_uname, names.as_mut_ptr() as usize) })?;
    let release = names
        .get(FIELD * 2..)
        .unwrap_or_default()
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    for (slot, byte) in buffer.iter_mut().zip(release) {
        *slot = *byte;
    }
    Ok(release.len().min(buffer.len()))
}
