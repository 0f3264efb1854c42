//! Programs that we run: heard when they end, ended when we are.
//!
//! # Safety
//! What runs between fork and exec is one system call.
#![allow(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, set_parent_process_death_signal};

use crate::error::{Context, Error, Result};
use crate::observer::Observer;

/// How soon a wish to stop is heard. The end of the program wakes us at once.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// Runs a program to its end, unheard. It is killed when this thread ends, however that happens: it could keep a
/// package mounted.
pub(crate) fn run(command: &mut Command, observer: &dyn Observer) -> Result<ExitStatus> {
    let name = command.get_program().to_os_string();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null());
    let end_with_us =
        || set_parent_process_death_signal(Some(Signal::KILL)).map_err(std::io::Error::from);
    // SAFETY: prctl(2) neither allocates nor takes a lock that another thread of ours may have held at the fork.
    unsafe { command.pre_exec(end_with_us) };
    let mut child = command.spawn().context("start", name.as_ref())?;
    wait(&mut child, observer)
}

/// Waits for the end of `child`, which is killed if the observer wants to stop.
fn wait(child: &mut Child, observer: &dyn Observer) -> Result<ExitStatus> {
    // A kernel without pidfds (before 5.3) has us wait until the program ends by itself.
    if let Ok(pidfd) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
        loop {
            let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
            match poll(&mut ended, Some(&PATIENCE)) {
                Ok(0) | Err(Errno::INTR) if observer.is_cancelled() => {
                    child.kill().context("kill", "the program".as_ref())?;
                    child.wait().context("wait for", "the program".as_ref())?;
                    return Err(Error::Cancelled);
                }
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => break,
                Err(errno) => return Err(errno).context("wait for", "the program".as_ref()),
            }
        }
    }
    child.wait().context("wait for", "the program".as_ref())
}
