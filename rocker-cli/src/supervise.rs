//! Waiting for the App: its signals, its stops, its end.
//!
//! The App shares the terminal and the process group. What the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z, a new size) reaches
//! it by itself; what a process sends to this command is handed on.

use crate::FAILED;
use crate::signals::Signals;
use rocker_sys::process::{self, Ended, Which};
use rocker_sys::raw::general::{WNOHANG, WUNTRACED};
use rocker_sys::signal::SIGCHLD;
use rocker_sys::{Errno, Result};

/// Waits until the App has ended; gives the exit status that says how.
pub(crate) fn supervise(signals: &Signals, app: i32) -> i32 {
    wait(signals, app).unwrap_or(FAILED)
}

fn wait(signals: &Signals, app: i32) -> Result<i32> {
    loop {
        // First, and after each signal: the App may have ended before.
        if let Some(status) = end_of(signals, app)? {
            return Ok(status);
        }
        signals.wait(u64::MAX)?;
        while let Some(caught) = signals.next() {
            if caught.signal != SIGCHLD && caught.by_process {
                // Ended meanwhile: SIGCHLD is on its way.
                process::kill(app, caught.signal).unwrap_or_default();
            }
        }
    }
}

/// The App's exit status, if it has ended. If it has stopped, this command stops too, so that the shell sees it.
fn end_of(signals: &Signals, app: i32) -> Result<Option<i32>> {
    loop {
        match process::wait(Which::Pid(app), WNOHANG | WUNTRACED) {
            Ok(Some((_, Ended::Exited(status)))) => return Ok(Some(status & 0xff)),
            Ok(Some((_, Ended::Killed(signal)))) => return Ok(Some(128 + (signal & 0x7f))),
            // Continued: the SIGCONT that did it waits among the signals, and is handed on like the others.
            Ok(Some((_, Ended::Stopped(signal)))) => signals.stop_like(signal)?,
            Ok(None) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
