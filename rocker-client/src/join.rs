//! What the new process does to enter the sandbox. It runs in a fork of the host, or on the host's own memory until it
//! executes: system calls only.

use crate::at;
use crate::connect::{Namespaces, Ready};
use rocker_proto::{Failure, Joined, Request, Stage};
use rocker_sys::namespace::{CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWUTS};
use rocker_sys::{Errno, Fd, credentials, fs, namespace, process, socket};

/// Tells the guard of this process, enters every namespace, and becomes the App's user. Gives this process's pidfd.
///
/// The guard hears first: if this process dies half-way, the guard sees that too. The pidfd is opened by the process that
/// it stands for, which is its own pid namespace's number and cannot have been reused.
pub(crate) fn join(ready: &Ready, request: &Request<'_>) -> Result<Option<Fd>, Failure> {
    let pidfd = match process::pidfd_open(process::pid()) {
        Ok(pidfd) => Some(pidfd),
        Err(Errno::ENOSYS) => None,
        Err(errno) => return Err(at(Stage::ANNOUNCE)(errno)),
    };
    let told = match &pidfd {
        Some(pidfd) => socket::send(ready.connection.raw(), &Joined.encode(), &[pidfd.raw()]),
        None => socket::send(ready.connection.raw(), &Joined.encode(), &[]),
    };
    told.map_err(at(Stage::ANNOUNCE))?;
    // From here on nobody inside may look into this process, which is still a privileged one.
    credentials::set_dumpable(false).map_err(at(Stage::IDENTITY))?;
    // Inside the user namespace setgroups is denied for good.
    credentials::clear_groups().map_err(at(Stage::GROUPS))?;
    enter(&ready.namespaces)?;
    become_app(request).map_err(at(Stage::IDENTITY))?;
    fs::chdir(c"/").map_err(at(Stage::CHDIR))?;
    Ok(pidfd)
}

/// The user namespace comes last: with it go the privileges over the others.
fn enter(namespaces: &Namespaces) -> Result<(), Failure> {
    let order = [
        (&namespaces.ipc, CLONE_NEWIPC),
        (&namespaces.uts, CLONE_NEWUTS),
        (&namespaces.mnt, CLONE_NEWNS),
        (&namespaces.user, CLONE_NEWUSER),
    ];
    for (index, (namespace, kind)) in (0u16..).zip(order) {
        namespace::setns(namespace.raw(), kind)
            .map_err(|errno| Failure::indexed(Stage::JOIN, errno.raw(), index))?;
    }
    Ok(())
}

/// Without this the process would stay host uid 0, whatever the maps say, and own the host by way of
/// `/proc/sys/kernel/core_pattern`.
fn become_app(request: &Request<'_>) -> Result<(), Errno> {
    credentials::drop_bounding_set()?;
    credentials::set_gid(request.gid)?;
    credentials::set_uid(request.uid)?;
    // The change of ids has set it to /proc/sys/fs/suid_dumpable, which may be 1.
    credentials::set_dumpable(false)?;
    credentials::drop_capabilities()?;
    credentials::set_no_new_privs()
}
