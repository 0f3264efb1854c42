//! `Seccomp`: which system calls an App may make.

use crate::{Failure, Stage};

const EINVAL: i32 = 22;

/// A choice of filter, and whether it only reports. A number and not an enum, so that what a caller got wrong reaches the
/// master, which refuses it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Seccomp(u8);

impl Seccomp {
    /// Refuses what no App of a sandbox has any use for: the default.
    pub const DEFAULT: Self = Self(0);
    /// Lets through what a plain server needs, and nothing else.
    pub const STRICT: Self = Self(1);
    /// No filter.
    pub const OFF: Self = Self(2);
    /// What a policy file says.
    pub const FILE: Self = Self(3);

    /// What would be refused is let through and reported in the kernel's log.
    const LOG: u8 = 0x80;

    /// The choice with this number, which may be none that we know.
    pub const fn from_raw(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    pub const fn raw(self) -> u8 {
        self.0
    }

    /// The same filter, which only reports.
    #[must_use]
    pub const fn logged(self) -> Self {
        Self(self.0 | Self::LOG)
    }

    /// Does it only report?
    pub const fn is_logged(self) -> bool {
        self.0 & Self::LOG != 0
    }

    /// Which filter, without the way it answers.
    #[must_use]
    pub const fn filter(self) -> Self {
        Self(self.0 & !Self::LOG)
    }

    /// Refuses what is unknown, and a report of no filter.
    pub(crate) fn check(self) -> Result<(), Failure> {
        if self.filter().0 <= Self::FILE.0 && self != Self::OFF.logged() {
            Ok(())
        } else {
            Err(Failure::new(Stage::SECCOMP, EINVAL))
        }
    }
}
