//! The pid namespace that the calling thread's next children are born in.

use crate::connect::Ready;
use crate::held::{self, Held};
use crate::middle;
use rocker_proto::{At, Failure, Stage};
use rocker_sys::namespace::{self, CLONE_NEWPID};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::signal::SIGKILL;
use rocker_sys::{Errno, fs, process};

/// Makes a child in the sandbox's pid namespace. It is the caller's own child, so wait(2) and SIGCHLD work as for any
/// other.
///
/// A caller that is not root has a process in the middle for it. Else setns does it, which changes the calling thread alone,
/// and only for its future children (`pid_namespaces(7)`); it is changed back before this returns, in the parent.
pub(crate) fn born_inside(
    ready: &Ready,
    make_child: impl FnOnce() -> Result<i32, Failure>,
) -> Result<i32, Failure> {
    let home = if middle::is_needed() {
        None
    } else {
        let home = home().at(Stage::PLUMBING)?;
        namespace::setns(ready.pid_namespace(), CLONE_NEWPID).at(Stage::JOIN_PID)?;
        Some(home)
    };
    // Once in this text: it is large.
    let child = make_child();
    let Some(home) = home else { return child };
    let back = namespace::setns(home.raw(), CLONE_NEWPID);
    // The way back takes the privilege that the way out has just proved. Should it fail all the same, the caller must
    // hear of it rather than find its next children in a sandbox.
    if let Err(errno) = back {
        child.map(bury)?;
        return Err(Failure::of(Stage::PLUMBING, errno));
    }
    child
}

/// Ends a child that the host shall not hear of, and takes it off the host's table.
pub(crate) fn bury(pid: i32) {
    // It has not been waited for, so the number is still its own; if the host reaps all children by itself, this says ESRCH.
    process::kill(pid, SIGKILL).unwrap_or_default();
    reap(pid);
}

/// Takes a child off the host's table that ends by itself.
pub(crate) fn reap(pid: i32) {
    while process::reap(pid) == Err(Errno::EINTR) {}
}

/// The pidfd of a child that has just been made. It is opened here and not by the clone, because there another thread's
/// fork could inherit it before anybody knows of it. Should the host have reaped the child already, there is none: numbers
/// go round before they are used again.
pub(crate) fn pidfd_of(pid: i32) -> Option<Held> {
    held::hold(|| process::pidfd_open(pid)).ok()
}

/// Where this thread's children are born now. Threads may differ.
fn home() -> Result<Held, Errno> {
    let open = |path| held::hold(|| fs::open(path, O_RDONLY));
    open(c"/proc/thread-self/ns/pid_for_children").or_else(|errno| match errno {
        // Before 4.12. Then it is this process's own, unless the thread has changed it, which nobody can see there.
        Errno::ENOENT => open(c"/proc/self/ns/pid"),
        errno => Err(errno),
    })
}
