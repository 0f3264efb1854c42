//! The App's filter of system calls, put together here for the client's child to install.
//!
//! [`Filter::of`] makes it before the first mount: from a table (`builtin`), or from a file (`policy_file`) with a policy
//! (`policy`). Both say what becomes of each call (`calls`), from which one assembler makes the program.
#![cfg_attr(
    not(feature = "seccomp-policies"),
    allow(dead_code, reason = "some of the assembler is for policies alone")
)]

mod answer;
mod builtin;
mod calls;
mod filter;
#[cfg(feature = "seccomp-policies")]
mod policy;
#[cfg(feature = "seccomp-policies")]
mod policy_file;
#[cfg(not(feature = "seccomp-policies"))]
#[path = "seccomp/policy_file/nothing.rs"]
mod policy_file;
mod program;
mod rule;
mod table;

#[cfg(test)]
#[allow(clippy::panic, clippy::expect_used)]
mod tests;

pub use filter::Filter;
