//! `Network`: which network an App has.

use crate::{Failure, Stage};

const EINVAL: i32 = 22;

/// A choice of network. A number and not an enum, as the other choices of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Network(u8);

impl Network {
    /// That of whoever launches it: the default.
    pub const HOST: Self = Self(0);
    /// One of its own, with nothing in it but a loopback.
    pub const NONE: Self = Self(1);

    /// The choice with this number, which may be none that we know.
    pub const fn from_raw(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    pub const fn raw(self) -> u8 {
        self.0
    }

    /// Refuses what is unknown.
    pub(crate) fn check(self) -> Result<(), Failure> {
        if self.0 <= Self::NONE.0 {
            Ok(())
        } else {
            Err(Failure::new(Stage::NETWORK, EINVAL))
        }
    }
}
