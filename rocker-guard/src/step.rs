//! `Step`: what each part of the set-up returns, with the stage at which it failed.

use rocker_proto::{Failure, Stage};
use rocker_sys::Errno;

/// A value, or which step failed and why.
pub(crate) type Step<T = ()> = Result<T, Failure>;

/// Gives an error of the kernel its stage.
pub(crate) trait At<T> {
    /// It was this step.
    fn at(self, stage: Stage) -> Step<T>;
    /// It was this step, on the overlay (or table entry) with this index.
    fn at_index(self, stage: Stage, index: u16) -> Step<T>;
}

impl<T> At<T> for rocker_sys::Result<T> {
    fn at(self, stage: Stage) -> Step<T> {
        self.map_err(|errno: Errno| Failure::new(stage, errno.raw()))
    }

    fn at_index(self, stage: Stage, index: u16) -> Step<T> {
        self.map_err(|errno: Errno| Failure::indexed(stage, errno.raw(), index))
    }
}
