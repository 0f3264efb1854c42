//! The filters, run by an interpreter and held to a list of calls by name, on every architecture.

mod filters;
mod machine;
mod numbers;
#[cfg(feature = "seccomp-policies")]
mod policies;
mod tables;
