//! The pid namespace that the calling thread's next children are born in.

use crate::at;
use crate::connect::Ready;
use crate::held::{self, Held};
use rocker_proto::{Failure, Stage};
use rocker_sys::namespace::{self, CLONE_NEWPID};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Errno, fs};

/// Makes a child in the sandbox's pid namespace. It is the caller's own child, so wait(2) and SIGCHLD work as for any
/// other.
///
/// setns changes the calling thread alone, and only for its future children (`pid_namespaces(7)`); it is changed back
/// before this returns, in the parent.
pub(crate) fn born_inside<T>(
    ready: &Ready,
    make_child: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let home = home().map_err(at(Stage::PLUMBING))?;
    namespace::setns(ready.namespaces.pid.raw(), CLONE_NEWPID).map_err(at(Stage::JOIN_PID))?;
    let child = make_child();
    let back = namespace::setns(home.raw(), CLONE_NEWPID);
    // The way back takes the privilege that the way out has just proved. Should it fail all the same, the caller must
    // hear of it rather than find its next children in a sandbox.
    back.map_err(at(Stage::PLUMBING)).and(child)
}

/// Where this thread's children are born now. Threads may differ.
fn home() -> Result<Held, Errno> {
    let open = |path| held::section(|section| fs::open(path, O_RDONLY).map(|fd| section.hold(fd)));
    match open(c"/proc/thread-self/ns/pid_for_children") {
        // Before 4.12. Then it is this process's own, unless the thread has changed it, which nobody can see there.
        Err(Errno::ENOENT) => open(c"/proc/self/ns/pid"),
        result => result,
    }
}
