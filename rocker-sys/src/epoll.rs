//! Waiting for many descriptors.
#![allow(unsafe_code)]

use crate::arch::{syscall1, syscall4, syscall6};
use crate::errno::{Errno, Result, done, ret};
use crate::fd::{Fd, RawFd};
use linux_raw_sys::general as g;

/// Wait without end.
pub const FOREVER: i32 = -1;

/// An epoll instance whose events carry a number of the caller's.
#[derive(Debug)]
pub struct Epoll(Fd);

/// The events of one wait.
#[derive(Clone, Copy)]
pub struct Events<const N: usize> {
    buffer: [g::epoll_event; N],
    count: usize,
}

impl<const N: usize> Events<N> {
    /// No events.
    pub const fn new() -> Self {
        Self {
            buffer: [g::epoll_event { events: 0, data: 0 }; N],
            count: 0,
        }
    }

    /// The tokens of the descriptors that became readable, or whose peers are gone.
    pub fn tokens(&self) -> impl Iterator<Item = u64> + '_ {
        self.buffer.iter().take(self.count).map(|event| event.data)
    }
}

impl<const N: usize> Default for Events<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> core::fmt::Debug for Events<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.tokens()).finish()
    }
}

impl Epoll {
    /// `epoll_create1(2)`
    pub fn new() -> Result<Self> {
        // SAFETY: integers only.
        Fd::from_ret(unsafe { syscall1(g::__NR_epoll_create1, g::EPOLL_CLOEXEC as usize) })
            .map(Self)
    }

    /// Watches `fd` for input and for the end of its peer. Closing the descriptor ends the watch (if no copy of it is
    /// open elsewhere: see Q6 of `epoll(7)`).
    pub fn watch(&self, fd: RawFd, token: u64) -> Result<()> {
        self.control(g::EPOLL_CTL_ADD, fd, g::EPOLLIN, token)
    }

    /// Watches `fd` for what poll(2) calls an exceptional condition: a mount table that has changed
    /// (`proc_pid_mountinfo(5)`), memory that runs short.
    pub fn watch_exceptions(&self, fd: RawFd, token: u64) -> Result<()> {
        self.control(g::EPOLL_CTL_ADD, fd, g::EPOLLPRI, token)
    }

    /// Watches no longer.
    pub fn forget(&self, fd: RawFd) -> Result<()> {
        self.control(g::EPOLL_CTL_DEL, fd, 0, 0)
    }

    fn control(&self, operation: u32, fd: RawFd, events: u32, data: u64) -> Result<()> {
        let event = g::epoll_event { events, data };
        // SAFETY: the kernel reads one struct epoll_event.
        done(unsafe {
            syscall4(
                g::__NR_epoll_ctl,
                self.0.raw() as usize,
                operation as usize,
                fd as usize,
                (&raw const event) as usize,
            )
        })
    }

    /// Waits up to `timeout_ms`, or [`FOREVER`] (`epoll_pwait(2)`). No event may mean the timeout or a signal.
    pub fn wait<const N: usize>(&self, events: &mut Events<N>, timeout_ms: i32) -> Result<()> {
        events.count = 0;
        // SAFETY: the kernel writes at most N structures into the exclusively borrowed buffer; a null mask changes no
        // signal mask.
        let value = unsafe {
            syscall6(
                g::__NR_epoll_pwait,
                self.0.raw() as usize,
                events.buffer.as_mut_ptr() as usize,
                N,
                timeout_ms as usize,
                0,
                8,
            )
        };
        match ret(value) {
            Ok(count) => {
                events.count = count;
                Ok(())
            }
            Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}
