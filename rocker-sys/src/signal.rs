//! Signals: masks and signalfd.
#![allow(unsafe_code)]

use crate::arch::syscall4;
use crate::errno::{Errno, Result, done};
use crate::fd::{Fd, RawFd};
use crate::fs;
use core::mem::zeroed;
use linux_raw_sys::general as g;

pub use g::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN,
    SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
};

/// A set of signals, in the kernel's own size.
#[derive(Clone, Copy)]
pub struct SigSet(g::kernel_sigset_t);

impl core::fmt::Debug for SigSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SigSet")
    }
}

impl SigSet {
    const SIZE: usize = size_of::<g::kernel_sigset_t>();

    /// No signal.
    pub fn empty() -> Self {
        // SAFETY: a set is an array of integers; all zero is the empty set.
        Self(unsafe { zeroed() })
    }

    /// Every signal.
    pub fn full() -> Self {
        let sig = [!0; Self::SIZE / size_of::<core::ffi::c_ulong>()];
        Self(g::kernel_sigset_t { sig })
    }

    /// The set with this signal too. Signals above the first word (32, 64) are not among those that Rocker names.
    pub fn with(mut self, signal: u32) -> Self {
        if let Some(word) = self.0.sig.first_mut() {
            *word |= 1 << (signal.wrapping_sub(1) & 31);
        }
        self
    }

    /// The set without this signal.
    pub fn without(mut self, signal: u32) -> Self {
        if let Some(word) = self.0.sig.first_mut() {
            *word &= !(1 << (signal.wrapping_sub(1) & 31));
        }
        self
    }
}

/// Sets the calling thread's mask and gives the old one (`rt_sigprocmask(2)`).
pub fn set_mask(mask: &SigSet) -> Result<SigSet> {
    let mut mask = *mask;
    swap_mask(&mut mask)?;
    Ok(mask)
}

/// As [`set_mask`], with the old one in the place of the new.
#[inline(never)] // smaller by itself
pub fn swap_mask(mask: &mut SigSet) -> Result<()> {
    let address = (&raw mut mask.0) as usize;
    // SAFETY: the kernel reads one set before it writes one, of the size that goes with them.
    done(unsafe {
        syscall4(
            g::__NR_rt_sigprocmask,
            g::SIG_SETMASK as usize,
            address,
            address,
            SigSet::SIZE,
        )
    })
}

/// Every signal's disposition back to the default (`rt_sigaction(2)`), so that a program that is executed next does not
/// inherit `SIG_IGN`s (an ignored SIGCHLD breaks its wait, an ignored SIGPIPE its pipes).
///
/// # Safety
/// The table of handlers is this process's own: not shared with a process that wants its handlers back.
pub unsafe fn reset_handlers() {
    // SAFETY: a null handler is SIG_DFL, an empty mask and no flags are valid.
    let default: g::kernel_sigaction = unsafe { zeroed() };
    for signal in 1..=(SigSet::SIZE * 8) {
        // SAFETY: the kernel reads one action. EINVAL for SIGKILL and SIGSTOP is expected.
        unsafe {
            syscall4(
                g::__NR_rt_sigaction,
                signal,
                (&raw const default) as usize,
                0,
                SigSet::SIZE,
            )
        };
    }
}

/// A descriptor that tells of blocked signals (`signalfd(2)`), non-blocking.
pub fn signalfd(mask: &SigSet) -> Result<Fd> {
    // SFD_CLOEXEC and SFD_NONBLOCK are defined as these (include/uapi/linux/signalfd.h).
    let flags = g::O_CLOEXEC | g::O_NONBLOCK;
    // SAFETY: the kernel reads one set of the size that goes with it; -1 asks for a new descriptor.
    Fd::from_ret(unsafe {
        syscall4(
            g::__NR_signalfd4,
            usize::MAX,
            (&raw const mask.0) as usize,
            SigSet::SIZE,
            flags as usize,
        )
    })
}

/// One signal read from a signalfd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caught {
    /// Which.
    pub signal: u32,
    /// Was it sent by a process (`SI_USER` and its kin), not by the kernel or the terminal?
    pub by_process: bool,
}

/// The next signal, if one is pending.
pub fn read_signal(signalfd: RawFd) -> Result<Option<Caught>> {
    // struct signalfd_siginfo is 128 bytes: ssi_signo (u32), ssi_errno (i32), ssi_code (i32), ...
    let mut info = [0u32; 32];
    // SAFETY: an array of 32 integers is 128 plain bytes, all of which may be written.
    let bytes = unsafe { core::slice::from_raw_parts_mut(info.as_mut_ptr().cast::<u8>(), 128) };
    match fs::read(signalfd, bytes) {
        // Codes of the kernel are positive, those of processes are zero and below (sigaction(2)).
        Ok(_) => Ok(Some(Caught {
            signal: info[0],
            by_process: info[2].cast_signed() <= 0,
        })),
        Err(Errno::EAGAIN) => Ok(None),
        Err(errno) => Err(errno),
    }
}
