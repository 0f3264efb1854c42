//! `Answer`: what a filter says to a call, once it has looked at its arguments or without looking.

use rocker_sys::raw::ptrace::{
    SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_LOG,
};

/// What `seccomp(2)` takes from a filter: an action in the upper half, an error number in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) u32);

impl Answer {
    pub(crate) const ALLOW: Self = Self(SECCOMP_RET_ALLOW);
    /// Let through, and said in the kernel's log (4.14). What does not know it kills.
    pub(crate) const LOG: Self = Self(SECCOMP_RET_LOG);
    /// Before 4.14 this ends the thread alone: the kernel does not see the highest bit there.
    pub(crate) const KILL: Self = Self(SECCOMP_RET_KILL_PROCESS);
    /// As if the kernel had no such call. Libcs know what to do then.
    pub(crate) const ENOSYS: Self = Self::errno(38);
    pub(crate) const EPERM: Self = Self::errno(1);
    pub(crate) const EAFNOSUPPORT: Self = Self::errno(97);

    /// The call fails with this number.
    pub(crate) const fn errno(number: u16) -> Self {
        Self(SECCOMP_RET_ERRNO | number as u32)
    }

    /// The same from a filter that only reports. What is said not to exist stays so: libcs go on to something else, and what
    /// that is, is what is to be reported.
    pub(crate) const fn reported(self) -> Self {
        match self {
            Self::ALLOW | Self::ENOSYS => self,
            _ => Self::LOG,
        }
    }
}
