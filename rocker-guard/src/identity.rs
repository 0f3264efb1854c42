//! Who the guard is: into the user namespace, and out of every privilege.

use crate::package::Mounted;
use crate::step::{At, Step};
use crate::{Defence, Plan, talk};
use rocker_proto::Stage;
use rocker_sys::namespace::CLONE_NEWUSER;
use rocker_sys::{Errno, Result, credentials, namespace};

/// Enters the user namespace of an earlier sandbox of this App, or makes one and asks the master for its id maps, which take
/// privileges outside of it (`user_namespaces(7)`). The master writes them while this process goes on.
///
/// The supplementary groups go first: once the master has written `deny` to setgroups, nobody can leave them any more.
#[inline(never)] // smaller by itself
pub(crate) fn enter_user_namespace(plan: &Plan<'_>, mounted: Mounted) -> Step {
    credentials::clear_groups().at(Stage::USER_NAMESPACE)?;
    let (entered, stage) = match plan.user_namespace {
        Some(namespace) => (namespace::setns(namespace, CLONE_NEWUSER), Stage::MOUNTED),
        None => (namespace::unshare(CLONE_NEWUSER), Stage::MAPS),
    };
    entered.at(Stage::USER_NAMESPACE)?;
    talk::tell_of_package(plan, stage, mounted)
}

/// From here on the guard is the App's user without any capability, and nobody of that uid can look into it or trace it:
/// `/proc/1` belongs to the real root. [`leave_root`] is to follow, for the real and the saved uid.
///
/// The capabilities survive the change of ids, because uid 0 of this namespace is not mapped, so they are dropped by hand. The
/// bounding set stays: it limits what a process has that executes something, which a guard does not do, and which with
/// no_new_privs would gain nothing (`capabilities(7)`). The kernel empties it by single capabilities, in 41 calls that take
/// as long as it takes to mount `/proc`.
pub(crate) fn become_app(plan: &Plan<'_>) -> Step {
    let steps = || {
        credentials::set_gid(plan.request.gid)?;
        credentials::set_effective_uid(plan.request.uid)?;
        credentials::drop_capabilities()?;
        credentials::set_no_new_privs()?;
        // Before the real and the saved uid are the App's too, which has to have all three to attach (ptrace(2)), and after
        // the change of ids, which has set it to /proc/sys/fs/suid_dumpable.
        hide()
    };
    steps().at(Stage::HARDEN)
}

/// The App's user wholly.
///
/// The kernel counts descriptors that are on the way between processes by the sender's real uid, and takes no more of a user
/// that has too many (`ETOOMANYREFS`, `unix(7)`). An App could see to that, for every later sandbox of its user. So until all
/// are sent the guard's are root's. By the effective uid, which is one of the three, a process without capabilities may make
/// this change (`setresuid(2)`), and stays as it is otherwise, not dumpable.
pub(crate) fn leave_root(plan: &Plan<'_>) -> Step {
    credentials::set_uid(plan.request.uid).at(Stage::HARDEN)
}

/// Nobody of this process's uid can look into it from here on.
pub(crate) fn hide() -> Result<()> {
    credentials::set_dumpable(!Defence::NotDumpable.stands())?;
    if credentials::is_dumpable()? && Defence::NotDumpable.stands() {
        Err(Errno::EPERM)
    } else {
        Ok(())
    }
}
