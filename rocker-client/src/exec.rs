//! One program more in a sandbox that runs.
#![allow(unsafe_code)]

use crate::Program;
use crate::connect::{self, TIMEOUT_MS};
use crate::filter::Filter;
use crate::program;
use core::ffi::CStr;
use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{ExecRequest, Failure};
use rocker_sys::signal::SigSet;
use rocker_sys::time;

/// Executes `program` as a child of this process in the sandbox of the guard of this name, with the App's ids and under its
/// filter; gives its process id. As [`launch_tied`](crate::launch_tied) it starts with `mask`, and ends with the calling
/// thread. The sandbox does not wait for it: if that ends, so does the program.
///
/// # Safety
/// As [`launch_program`](crate::launch_program).
///
/// # Errors
/// The stages of a launch up to its answer, and those of entering. [`PEER`](crate::Stage::PEER): the caller is not root.
/// [`GUARD_NAME`](crate::Stage::GUARD_NAME), `ESRCH`: the master has made no such sandbox, or it has ended.
/// [`SECCOMP_POLICY`](crate::Stage::SECCOMP_POLICY), `ENODATA`: the App's filter is from a file, which the master does not
/// keep.
pub unsafe fn exec_tied(
    socket: &CStr,
    name: &[u8; NAME_SIZE],
    program: &Program<'_>,
    mask: &SigSet,
) -> Result<i32, Failure> {
    let deadline_ms = time::monotonic_ms().saturating_add(TIMEOUT_MS);
    let mut ready = connect::ask(socket, &ExecRequest { name: *name }.encode(), deadline_ms)?;
    ready.guard_pid = 0;
    let mut filter = Filter::NONE;
    let identity = filter.hear(&ready)?;
    // SAFETY: the caller's promise.
    unsafe { program::start(&ready, identity, &filter, program, Some(mask)) }
}
