//! `Failure`: which step failed, why, and on which of several.

use crate::Stage;

/// The index of a step that is not one of several.
pub const NO_INDEX: u16 = u16::MAX;

/// What stopped a launch. The C interface folds it into one `ROCKER_ERR`; the master logs it, and `rocker_ext.h` hands it
/// out whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub stage: Stage,
    /// The kernel's error number, as in `errno(3)`.
    pub errno: i32,
    /// Which overlay, which byte of a seccomp policy, or [`NO_INDEX`]. A number for people: it may come from another
    /// process, so it indexes nothing.
    pub index: u16,
}

impl Failure {
    /// A step that there is only one of.
    pub const fn new(stage: Stage, errno: i32) -> Self {
        Self {
            stage,
            errno,
            index: NO_INDEX,
        }
    }

    /// One of several.
    pub const fn indexed(stage: Stage, errno: i32, index: u16) -> Self {
        Self {
            stage,
            errno,
            index,
        }
    }
}
