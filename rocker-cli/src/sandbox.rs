//! Ending a sandbox: with the App goes whatever it has left running.

use crate::message::{name, report};
use crate::signals::Signals;
use rocker_client::{Launched, guard_name};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::WNOHANG;
use rocker_sys::signal::SIGKILL;
use rocker_sys::{Decimal, Errno, Result, time};

/// How long the kernel may take to end what was killed, in milliseconds.
const END_TIMEOUT_MS: u64 = 5_000;

/// How often to look for a guard that is neither a child nor has a pidfd (before 5.3), in milliseconds.
const TICK_MS: u64 = 10;

/// Ends the sandbox by its guard, and waits until it is gone. What cannot be ended is said.
pub(crate) fn end(launched: &Launched, signals: &Signals) {
    let deadline = time::monotonic_ms() + END_TIMEOUT_MS;
    let ended = kill(launched).and_then(|()| wait(launched, signals, deadline));
    if let Err(errno) = ended {
        let guard = Decimal::of(launched.guard_pid.unsigned_abs());
        report(&[
            b"the App has ended, but not its sandbox, whose first process is ",
            guard.as_bytes(),
            b": ",
            name(errno),
            b" (see what its processes wait for)",
        ]);
    }
}

fn kill(launched: &Launched) -> Result<()> {
    let killed = match &launched.guard_pidfd {
        Some(pidfd) => process::pidfd_send_signal(pidfd.raw(), SIGKILL),
        None if is_guard(launched) => process::kill(launched.guard_pid, SIGKILL),
        None => Ok(()),
    };
    match killed {
        // It has ended by itself.
        Err(Errno::ESRCH) => Ok(()),
        result => result,
    }
}

/// The number may be another process's by now; the name is the guard's alone.
fn is_guard(launched: &Launched) -> bool {
    guard_name(launched.guard_pid).is_ok_and(|name| name == launched.guard_name)
}

fn wait(launched: &Launched, signals: &Signals, deadline: u64) -> Result<()> {
    if let Some(pidfd) = &launched.guard_pidfd {
        time::wait_readable(pidfd.raw(), deadline)?;
    }
    // A guard whose master has ended is this command's child by now, to be taken off the table.
    wait_for_children(signals, Which::Pid(launched.guard_pid), deadline)?;
    while launched.guard_pidfd.is_none() && is_guard(launched) {
        if time::monotonic_ms() >= deadline {
            return Err(Errno::ETIMEDOUT);
        }
        signals
            .wait(time::monotonic_ms() + TICK_MS)
            .unwrap_or_default();
        while signals.next().is_some() {}
    }
    Ok(())
}

/// Waits until this command has no such child left, and takes it off the table.
pub(crate) fn wait_for_children(signals: &Signals, which: Which, deadline: u64) -> Result<()> {
    loop {
        match process::wait(which, WNOHANG) {
            Ok(Some(_)) | Err(Errno::EINTR) => {}
            Ok(None) => {
                // Whatever else is pending comes too late for the App.
                signals.wait(deadline)?;
                while signals.next().is_some() {}
            }
            Err(Errno::ECHILD) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}
