//! A sandbox for a client that is not root.
//!
//! Such a client gets in by the kernel's own rule: whoever owns a user namespace has every capability in it, and over every
//! namespace that was made in it (`user_namespaces(7)`). So the namespaces are made the other way round. The process that
//! the master has cloned, the *builder*, has a mount namespace alone. There it mounts everything, as root; then it makes the
//! user namespace as the client, and clones the guard into all the others, which so belong to it.
//!
//! * The guard is PID 1 and the master's own child, as any other: `CLONE_PARENT`. The builder has nothing left to do, and
//!   ends.
//! * What the builder mounted is locked in the guard's copy: nobody in the new user namespace can take it away, its owner
//!   neither (`mount_namespaces(7)`). Only `/proc` is mounted in there, since it belongs to the pid namespace.
//! * The client may do with the sandbox what it likes: it owns it. What it must not get at is the builder, or the guard, as
//!   long as they hold what is root's. By its uid it cannot, for theirs is root's but for the effective one, and they are
//!   not dumpable, with a memory that came from root's program: so not by its capabilities either, which end at the new user
//!   namespace (`ptrace(2)`).

use crate::mask::Mask;
use crate::package::Mounted;
use crate::step::{At, Step};
use crate::{Plan, identity, pseudo_fs, talk};
use rocker_proto::Stage;
use rocker_sys::{Fd, credentials, process};

/// Makes the user namespace and the guard in it. Comes back as the guard, with the mask as that one sees it; the process
/// that called it ends.
///
/// # Safety
/// The process has one thread, and leaves nothing to be dropped.
#[allow(unsafe_code)]
pub(crate) unsafe fn become_guard(plan: &Plan<'_>, mask: &Mask<'_>, mounted: Mounted) -> Step<Fd> {
    pseudo_fs::show_proc()?;
    mask.go_there().at(Stage::HARDEN_PROC)?;
    become_owner(plan.owner).at(Stage::USER_NAMESPACE)?;
    identity::enter_user_namespace(plan, mounted)?;
    talk::wait_for_maps(plan)?;
    // SAFETY: the caller's promise; the builder leaves by exit.
    if !unsafe { process::clone_sibling(plan.namespaces) }.at(Stage::CLONE)? {
        process::exit(0);
    }
    mask.open_copy().at(Stage::HARDEN_PROC)
}

/// The effective uid owns the user namespace that is made next. The capabilities of this one are needed until then.
fn become_owner(uid: u32) -> rocker_sys::Result<()> {
    credentials::set_no_setuid_fixup()?;
    credentials::set_effective_uid(uid)?;
    // The change of ids has set it to /proc/sys/fs/suid_dumpable, which may be 1.
    identity::hide()
}
