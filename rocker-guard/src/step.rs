//! `Step`: what each part of the set-up returns, with the stage at which it failed.

pub(crate) use rocker_proto::At;
use rocker_proto::Failure;

/// A value, or which step failed and why.
pub(crate) type Step<T = ()> = Result<T, Failure>;
