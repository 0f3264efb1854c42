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

    /// As [`new`](Self::new), from an error of rocker-sys. Once, and not in each of its callers: they are many.
    #[inline(never)]
    pub fn of(stage: Stage, errno: impl Into<i32>) -> Self {
        Self::new(stage, errno.into())
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

/// Gives an error number its stage.
pub trait At<T> {
    /// It was this step.
    ///
    /// # Errors
    /// This step, if `self` is an error.
    fn at(self, stage: Stage) -> Result<T, Failure>;

    /// It was this step, on the overlay (or table entry) with this index.
    ///
    /// # Errors
    /// This step, if `self` is an error.
    fn at_index(self, stage: Stage, index: u16) -> Result<T, Failure>;
}

impl<T, E: Into<i32>> At<T> for Result<T, E> {
    #[inline(always)] // smaller than a copy for each T
    fn at(self, stage: Stage) -> Result<T, Failure> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::of(stage, error)),
        }
    }

    #[inline(always)]
    fn at_index(self, stage: Stage, index: u16) -> Result<T, Failure> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::indexed(stage, error.into(), index)),
        }
    }
}
