//! `Signals`: what reaches this command while it stands for its App.

use rocker_sys::signal::{
    self, Caught, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN,
    SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH, SigSet,
};
use rocker_sys::{Fd, Result, process, time};

/// What is kept for the App, besides SIGCHLD. Those of the terminal that stop a job are among them: the App decides
/// whether it stops, and this command follows.
const KEPT: [u32; 11] = [
    SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
    SIGWINCH,
];

/// Signals that wait to be read, from the start of the command on: one that comes in the middle of a launch ends the App,
/// and not this command with everything half done.
pub(crate) struct Signals {
    fd: Fd,
    blocked: SigSet,
    /// The mask of whoever started this command, for the App.
    pub(crate) inherited: SigSet,
}

impl Signals {
    #[allow(unsafe_code)]
    pub(crate) fn block() -> Result<Self> {
        // An ignored SIGCHLD, which exec hands down, would take the App's exit status away.
        // SAFETY: this program has one thread and no handlers.
        unsafe { signal::reset_handlers() };
        let set = SigSet::empty().with(SIGCHLD);
        let set = KEPT.iter().fold(set, |set, signal| set.with(*signal));
        let fd = signal::signalfd(&set)?;
        // Nothing but these is blocked, whatever was inherited: a blocked SIGTSTP could not stop this command.
        let inherited = signal::set_mask(&set)?;
        Ok(Self {
            fd,
            blocked: set,
            inherited,
        })
    }

    /// Waits until one has come, or the deadline of `monotonic_ms`.
    pub(crate) fn wait(&self, deadline_ms: u64) -> Result<()> {
        time::wait_readable(self.fd.raw(), deadline_ms)
    }

    /// The next one, if there is one.
    pub(crate) fn next(&self) -> Option<Caught> {
        // None that can be read is none that has come.
        signal::read_signal(self.fd.raw()).unwrap_or(None)
    }

    /// Stops this command as the App was stopped, so that a shell sees its job stop; comes back when it is continued.
    ///
    /// A SIGSTOP is followed by SIGTSTP. In a process group that no shell looks after the kernel ignores that, and rightly:
    /// nobody would continue this command.
    pub(crate) fn stop_like(&self, app: i32) -> Result<()> {
        let app = app.unsigned_abs();
        let signal = if app == SIGSTOP { SIGTSTP } else { app };
        // Pending first and then let in, so that it stops this command before the next line.
        process::kill(process::pid(), signal)?;
        signal::set_mask(&self.blocked.without(signal))?;
        signal::set_mask(&self.blocked)?;
        Ok(())
    }
}
