//! The App's filter of system calls, put together here for the client's child to install.
//!
//! [`Filter::of`] makes it before the first mount: from a table (`builtin`), or from a policy file (`policy`). Both say what
//! becomes of each call (`calls`), from which one assembler makes the program.

mod answer;
mod builtin;
mod calls;
mod constants;
mod filter;
mod names;
mod policy;
mod program;
mod rule;
mod scanner;
mod table;

#[cfg(test)]
#[allow(clippy::panic, clippy::expect_used)]
mod tests;

pub(crate) use filter::Filter;
