//! `MemoryPressure`: the kernel's word that memory runs short.

use rocker_sys::epoll::Epoll;
use rocker_sys::raw::general::{O_NONBLOCK, O_RDWR};
use rocker_sys::{Fd, fs};

/// A trigger of `/proc/pressure/memory` (`Documentation/accounting/psi.rst`). It has an exceptional condition, at most once
/// in two seconds, when processes had to wait for memory.
pub(crate) struct MemoryPressure {
    /// Held, for as long as it is to be heard.
    _file: Fd,
}

impl MemoryPressure {
    /// Some process has waited for half a second of two: the kernel throws away what it will need again. Without
    /// CAP_SYS_RESOURCE the kernel takes nothing but multiples of two seconds, and nothing at all before 6.4.
    const TRIGGER: &[u8] = b"some 500000 2000000\0";

    /// Watches it. `None` where the kernel does not tell (before 5.2, without `CONFIG_PSI`, or booted with `psi=0`).
    pub(crate) fn watch(epoll: &Epoll, token: u64) -> Option<Self> {
        let file = fs::open(c"/proc/pressure/memory", O_RDWR | O_NONBLOCK).ok()?;
        fs::write(file.raw(), Self::TRIGGER).ok()?;
        epoll.watch_exceptions(file.raw(), token).ok()?;
        Some(Self { _file: file })
    }
}
