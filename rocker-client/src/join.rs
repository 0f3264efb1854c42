//! What the new process does to enter the sandbox. It runs in a fork of the host, or on the host's own memory until it
//! executes: system calls only.

use crate::connect::{Ready, number_of};
use crate::filter::Filter;
use crate::identity::Identity;
use crate::middle;
#[cfg(feature = "callback")]
use rocker_proto::Request;
use rocker_proto::{Failure, Joined, Stage};
use rocker_sys::namespace::CLONE_NEWUSER;
use rocker_sys::{Errno, Fd, credentials, fs, namespace, process, socket};

/// Tells the guard of this process, enters every namespace, and becomes the App's user. The filter is in force already if no
/// policy says what it lets through.
///
/// The guard hears first: if this process dies half-way, the guard sees that too. The pidfd is opened by the process that
/// it stands for, which is its own pid namespace's number and cannot have been reused.
pub(crate) fn join(ready: &Ready, identity: Identity, filter: &Filter) -> Result<(), Failure> {
    let mut step = Failure::new(Stage::ANNOUNCE, 0);
    walk(ready, identity, filter, &mut step).map_err(|errno| because(step, errno))
}

/// The same, in a fork, when the sandbox is ready: if a process in the middle is needed, this is what it becomes. There it
/// gives [`Stage::CLONE`], which is no failure, and the App's process id.
///
/// # Safety
/// The process has one thread. Only one of the two drops what it owns.
#[cfg(feature = "callback")]
#[allow(unsafe_code)]
pub(crate) unsafe fn join_forked(
    ready: &Ready,
    request: &Request<'_>,
    filter: &mut Filter,
) -> Result<(), Failure> {
    let mut step = Failure::new(Stage::JOIN_PID, 0);
    // SAFETY: the caller's promise.
    let made = unsafe { middle::make_app(ready, &mut step) };
    let joined = made.and_then(|()| {
        step.stage = Stage::ANSWER;
        filter.wait(ready, request)?;
        walk(ready, Identity::of(request), filter, &mut step)
    });
    joined.map_err(|errno| because(step, errno))
}

fn because(step: Failure, errno: Errno) -> Failure {
    Failure {
        errno: errno.raw(),
        ..step
    }
}

/// `step` is always the one that is under way.
fn walk(
    ready: &Ready,
    identity: Identity,
    filter: &Filter,
    step: &mut Failure,
) -> Result<(), Errno> {
    if ready.guard_pid != 0 {
        step.stage = Stage::ANNOUNCE;
        announce(ready)?;
    }
    // From here on nobody inside may look into this process, which is still a privileged one.
    step.stage = Stage::IDENTITY;
    credentials::set_dumpable(false)?;
    // Inside root's user namespace setgroups is denied for good. Inside one that the caller owns, where this process is
    // already, it is what lets a caller leave them who is not root.
    step.stage = Stage::GROUPS;
    credentials::clear_groups()?;
    step.stage = Stage::JOIN;
    step.index = 0;
    // Who has come by way of the middle is in the user namespace already.
    let is_in = middle::is_needed();
    for (door, kinds) in ready.doors() {
        if !is_in || kinds != CLONE_NEWUSER {
            namespace::setns(number_of(door), kinds)?;
        }
        step.index = step.index.wrapping_add(1);
    }
    *step = Failure::new(Stage::IDENTITY, 0);
    become_app(identity)?;
    step.stage = Stage::CHDIR;
    fs::chdir(c"/")?;
    step.stage = Stage::SECCOMP;
    // Rocker's own let through what comes after this, so that it can still be said that they failed.
    filter.install()
}

#[inline(never)] // smaller by itself
fn announce(ready: &Ready) -> Result<(), Errno> {
    let pidfd = match process::pidfd_open(process::pid()) {
        Err(Errno::ENOSYS) => None,
        result => Some(result?),
    };
    let number = pidfd.as_ref().map(Fd::raw);
    // Closed behind this: no App inherits it.
    socket::send(ready.connection.raw(), &Joined.encode(), number.as_slice())
}

/// Without this the process would stay host uid 0, whatever the maps say, and own the host by way of
/// `/proc/sys/kernel/core_pattern`.
fn become_app(identity: Identity) -> Result<(), Errno> {
    credentials::drop_bounding_set()?;
    credentials::set_gid(identity.gid)?;
    credentials::set_uid_and_saved(identity.uid, identity.saved_uid)?;
    // The change of ids has set it to /proc/sys/fs/suid_dumpable, which may be 1.
    credentials::set_dumpable(false)?;
    credentials::drop_capabilities()?;
    credentials::set_no_new_privs()
}
