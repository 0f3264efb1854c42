//! `MemoryPressure`: the kernel's word that memory runs short.

use rocker_sys::raw::general::{O_NONBLOCK, O_RDWR};
use rocker_sys::{Fd, fs};

/// A trigger of `/proc/pressure/memory` (`Documentation/accounting/psi.rst`). It has an exceptional condition, at most once in
/// two seconds, when processes had to wait for memory.
pub(crate) struct MemoryPressure(Fd);

impl MemoryPressure {
    /// Some process has waited for a tenth of two seconds: the kernel throws away what it will need again. Without
    /// CAP_SYS_RESOURCE the kernel takes nothing but multiples of two seconds, and nothing at all before 6.4.
    const TRIGGER: &[u8] = b"some 200000 2000000\0";

    /// `None` where the kernel does not tell (before 5.2, without `CONFIG_PSI`, or booted with `psi=0`).
    pub(crate) fn watch() -> Option<Self> {
        let file = fs::open(c"/proc/pressure/memory", O_RDWR | O_NONBLOCK).ok()?;
        fs::write(file.raw(), Self::TRIGGER).ok()?;
        Some(Self(file))
    }

    /// To be watched for exceptional conditions.
    pub(crate) fn file(&self) -> &Fd {
        &self.0
    }
}
