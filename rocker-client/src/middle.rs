//! The process in the middle, between a caller that is not root and its App.
//!
//! Such a caller owns its sandbox's user namespace, and gets its capabilities over the sandbox by entering it
//! (`user_namespaces(7)`). A process with threads cannot (`EINVAL`), nor could it come back. And without being inside nobody
//! may say in which pid namespace the next child is born, while the App must be born in it and be the caller's own child. So
//! a process is made that enters both, makes the App as its own sibling (`CLONE_PARENT`), and ends. Nothing of the calling
//! thread changes.
//!
//! With `CLONE_PARENT` the App has the exit signal of the process in the middle, from which two ways follow:
//!
//! * **A program.** The process in the middle has no exit signal and borrows the host's memory, as the App does after it.
//!   execve gives the App `SIGCHLD` (`execve(2)`), while of the other no SIGCHLD comes, and no wait without `__WALL` finds
//!   it.
//! * **A function.** The App needs what fork(3) repairs: locks of malloc, handlers of pthread_atfork. So the process in the
//!   middle is libc's fork, whose exit signal is SIGCHLD, and the App its copy by a bare clone. What libc has noted of the
//!   one must hold for the other: its process id, as its thread's. Therefore the App gets the same number in its own pid
//!   namespace (`set_tid` of `clone3(2)`), which takes Linux 5.5. The host gets one SIGCHLD more, of a process that is off
//!   its table when the launch is back.
#![allow(unsafe_code)]

use crate::connect::Ready;
use rocker_sys::namespace::{self, CLONE_NEWPID, CLONE_NEWUSER};
use rocker_sys::{Errno, credentials};
#[cfg(feature = "callback")]
use {
    rocker_proto::{Failure, Stage},
    rocker_sys::process,
};

/// Is the caller one that is not root?
pub(crate) fn is_needed() -> bool {
    credentials::effective_uid() != 0
}

/// In the process in the middle: gets every capability over the sandbox, and has its next child born there.
///
/// Nobody inside may look into that child, which has them too. Where the memory is the host's, the host's launch puts the
/// flag back.
pub(crate) fn enter(ready: &Ready) -> Result<(), Errno> {
    credentials::set_dumpable(false)?;
    namespace::setns(ready.user_namespace(), CLONE_NEWUSER)?;
    namespace::setns(ready.pid_namespace(), CLONE_NEWPID)
}

/// In the fork: comes back in the App to be. In a process in the middle it gives the App's process id as an error, which is
/// none: `step` says so.
///
/// # Safety
/// The process has one thread. Only one of the two drops what it owns.
#[cfg(feature = "callback")]
pub(crate) unsafe fn make_app(ready: &Ready, step: &mut Failure) -> Result<(), Errno> {
    if !is_needed() {
        return Ok(());
    }
    enter(ready)?;
    step.stage = Stage::FORK;
    // SAFETY: the caller's promise.
    match unsafe { process::clone_sibling_alike() }? {
        0 => Ok(()),
        app_pid => {
            step.stage = Stage::CLONE;
            Err(Errno::from_raw(app_pid))
        }
    }
}
