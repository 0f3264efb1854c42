//! Of a build that reads no policies.

use super::program::Program;
use crate::step::Step;
use rocker_proto::{Failure, Request, Stage};
use rocker_sys::Errno;

/// None can be read.
pub(crate) fn of(_: &Request<'_>, _: bool) -> Step<Program> {
    Err(Failure::new(Stage::SECCOMP_POLICY, Errno::EOPNOTSUPP.raw()))
}
