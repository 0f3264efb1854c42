//! The App's filter of system calls, put together here for the client's child to install.

mod filter;

pub(crate) use filter::Filter;
