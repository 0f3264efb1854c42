//! Of a build that reads no policies.

use super::program::Program;
use crate::step::Step;
use core::ffi::CStr;
use rocker_proto::{Failure, Stage};
use rocker_sys::Errno;

/// None can be read.
pub(crate) fn of(_: &CStr, _: bool) -> Step<Program> {
    Err(Failure::new(Stage::SECCOMP_POLICY, Errno::EOPNOTSUPP.raw()))
}
