//! The client's side of a launch: ask the master for a sandbox, and send a process into it.
//!
//! It lives in somebody else's process, which may be large, have threads, handlers and locks of its own. So it never
//! prints, exits or allocates, installs no handler, and leaves behind nothing but the App: no descriptor, no zombie, no
//! changed signal mask, no changed errno. [`launch_program`] executes a file; [`launch_callback`] runs a function of the
//! host's in a forked copy of it; [`exec_tied`] executes a file in a sandbox that runs. All are the same up to the fork:
//! [`connect`](mod@connect) asks, [`join`](mod@join) is what the new process does to enter.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod cache;
#[cfg(feature = "callback")]
mod callback;
mod connect;
mod dumpable;
mod exec;
mod filter;
mod guard_name;
mod held;
mod identity;
mod join;
mod lock;
mod middle;
mod pid_namespace;
mod program;
mod tie;

pub use cache::ask_cache;
#[cfg(feature = "callback")]
pub use callback::{Callback, launch_callback};
pub use exec::exec_tied;
pub use guard_name::guard_name;
pub use held::Held;
pub use lock::Lock;
pub use program::{Program, launch_program, launch_tied};
pub use rocker_proto::{
    CacheReply, CacheRequest, Data, DataMode, Failure, NO_INDEX, Network, Request, Seccomp, Stage,
    limits,
};

/// Where the master is if nothing else is said.
pub const DEFAULT_SOCKET: &core::ffi::CStr = c"/run/rocker/master.sock";

/// An App that runs.
#[derive(Debug)]
pub struct Launched {
    /// The App's process id: a child of the caller, to be waited for.
    pub app_pid: i32,
    /// The App's pidfd, where the kernel has them (5.3).
    pub app_pidfd: Option<Held>,
    /// The process id of its guard, PID 1 of the sandbox. Killing it ends everything in the sandbox.
    pub guard_pid: i32,
    /// The guard's name, NUL-padded.
    pub guard_name: [u8; limits::NAME_SIZE],
    /// The guard's pidfd, where the kernel has them (5.3).
    pub guard_pidfd: Option<Held>,
}
