//! `rocker exec`: one command more in a sandbox that runs.

use crate::explain::explain;
use crate::run::{command, options, take_signals};
use crate::supervise::supervise;
use crate::{FAILED, default_socket};
use rocker_client::{Stage, exec_tied, limits};
use rocker_sys::program::Program;

#[allow(unsafe_code)]
pub(crate) fn exec(program: &Program) -> i32 {
    let options = match options(program, true) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(signals) = take_signals() else {
        return FAILED;
    };
    let socket = options.socket.unwrap_or_else(|| default_socket(program));
    let guard = options.package;
    let mut name = [0; limits::NAME_SIZE];
    for (slot, byte) in name.iter_mut().zip(guard.to_bytes()) {
        *slot = *byte;
    }
    let command = command(program, &options, program.environment());
    // SAFETY: the kernel made both arrays, which live as long as this process.
    match unsafe { exec_tied(socket, &name, &command, &signals.inherited) } {
        Ok(pid) => supervise(&signals, pid),
        Err(failure) => {
            let is_about_guard = failure.stage == Stage::GUARD_NAME;
            let other = if is_about_guard { guard } else { c"" };
            explain(&failure, socket, other, command.path)
        }
    }
}
