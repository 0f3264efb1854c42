//! Waiting for the App: its signals, its stops, its end.
//!
//! The App shares the terminal and the process group. What the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z, a new size) reaches
//! it by itself; what a process sends to this command is handed on.

use crate::FAILED;
use rocker_client::Launched;
use rocker_sys::epoll::{Epoll, Events, FOREVER};
use rocker_sys::process::{self, Ended, Which};
use rocker_sys::raw::general::{WNOHANG, WUNTRACED};
use rocker_sys::signal::{
    self, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
    SigSet,
};
use rocker_sys::{Errno, Result};

/// What is handed on to the App. SIGTSTP is left alone: it stops this command together with the App.
const HANDED_ON: [u32; 8] = [
    SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
];

/// Waits until the App has ended; gives the exit status that says how.
pub(crate) fn supervise(launched: &Launched) -> i32 {
    wait(launched.app_pid).unwrap_or(FAILED)
}

fn wait(app: i32) -> Result<i32> {
    let set = HANDED_ON
        .iter()
        .fold(SigSet::empty().with(SIGCHLD), |set, signal| {
            set.with(*signal)
        });
    signal::set_mask(&set)?;
    let signals = signal::signalfd(&set)?;
    let epoll = Epoll::new()?;
    epoll.watch(signals.raw(), 0)?;
    let mut events = Events::<1>::new();
    loop {
        // First, and after each signal: the App may have ended before the signals were blocked.
        if let Some(status) = end_of(app)? {
            return Ok(status);
        }
        epoll.wait(&mut events, FOREVER)?;
        while let Some(caught) = signal::read_signal(signals.raw())? {
            if caught.signal != SIGCHLD && (caught.by_process || caught.signal == SIGCONT) {
                // Ended meanwhile: SIGCHLD is on its way.
                process::kill(app, caught.signal).unwrap_or_default();
            }
        }
    }
}

/// The App's exit status, if it has ended. If it has stopped, this command stops too, so that the shell sees it.
fn end_of(app: i32) -> Result<Option<i32>> {
    loop {
        match process::wait(Which::Pid(app), WNOHANG | WUNTRACED) {
            Ok(Some((_, Ended::Exited(status)))) => return Ok(Some(status & 0xff)),
            Ok(Some((_, Ended::Killed(signal)))) => return Ok(Some(128 + (signal & 0x7f))),
            Ok(Some((_, Ended::Stopped(_)))) => {
                process::kill(process::pid(), SIGSTOP)?;
                // Continued: so is the App, unless the shell has done it already.
                process::kill(app, SIGCONT).unwrap_or_default();
            }
            Ok(None) => return Ok(None),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
