//! The set-up, in order: read it top to bottom and you know what a sandbox is.

use crate::cache::OpenCache;
use crate::mask::Mask;
use crate::overlay::Overlays;
use crate::package::{Mounted, Package};
use crate::seat::Seat;
use crate::seccomp::Filter;
use crate::step::{At, Step};
use crate::{Defence, Plan, identity, network, owner, pseudo_fs, talk};
use rocker_proto::Stage;
use rocker_sys::signal::{self, SigSet};
use rocker_sys::{close_all_but, credentials, fs, process};

/// Builds the whole sandbox and tells the client that it is ready. The seat is to be held as long as the sandbox lives.
///
/// What the host must not lend to an App that swapped it meanwhile is opened before the first mount: the package, the data
/// directory, the lower layers, the file that masks and the seccomp policy. Overlays come before the package, because the
/// exec directory may lie in an overlaid directory and would be covered. Nothing mounted here reaches the host, for the
/// master's own mount namespace, of which this one is a copy, hears of the host's mounts and tells nothing; but for what is
/// mounted in the package cache.
///
/// # Safety
/// As [`crate::enter`].
#[allow(unsafe_code)]
pub(crate) unsafe fn build(plan: &Plan<'_>) -> Step<Option<Seat>> {
    if Defence::Descriptors.stands() {
        // SAFETY: the caller's promise: nothing else of this process uses a descriptor.
        unsafe { close_all_but(&plan.descriptors()) }.at(Stage::GUARD)?;
    }
    let mask = Mask::open(plan.mask).at(Stage::HARDEN_PROC)?;
    become_pid1(plan)?;
    let mut doors = talk::Doors::closed(plan.entrance);
    let is_early = !plan.entrance.is_one_by_one();
    if is_early {
        // A pidfd stands for all namespaces, also for those that are made later. So the client has it now, and makes its
        // child while the sandbox is built.
        doors.open()?;
        talk::welcome(plan, &doors)?;
    }

    let request = &plan.request;
    let filter = Filter::of(request)?;
    // SAFETY: this is done once, and nobody else uses those descriptors of the plan.
    let cache = unsafe { OpenCache::open(&plan.cache) }.at(Stage::PACKAGE_CACHE)?;
    let package = Package::open(request.package, &cache, plan.trust.as_ref())?;
    let mut overlays = Overlays::of(request);
    overlays.open()?;

    let seat = overlays.mount(plan.mounts)?;
    // Here, since to pass it on would copy it.
    drop(overlays);
    let mounted = package.mount(request.exec_dir, cache)?;
    if !plan.is_owned() {
        pseudo_fs::mount_proc(&mask.file)?;
        make_sys_read_only(plan)?;
        network::leave_host(request)?;
        enter_user_namespace(plan, &mut doors, mounted)?;
    } else {
        make_sys_read_only(plan)?;
        // SAFETY: one thread; in the process that does not come back, nothing is dropped.
        let mask = unsafe { owner::become_guard(plan, &mask, mounted) }?;
        pseudo_fs::mount_proc(&mask)?;
        network::leave_host(request)?;
        doors.open()?;
    }
    identity::become_app(plan)?;
    if !is_early {
        talk::welcome(plan, &doors)?;
    }
    talk::tell_master(plan, &doors, seat.as_ref())?;
    // Last of what may fail, as whatever was sent before goes to the account of the real root.
    identity::leave_root(plan)?;
    talk::tell_client(plan, &doors, filter)?;
    Ok(seat)
}

fn make_sys_read_only(plan: &Plan<'_>) -> Step {
    if Defence::PseudoFs.stands() {
        pseudo_fs::make_sys_read_only(plan.mounts)
    } else {
        Ok(())
    }
}

fn enter_user_namespace(plan: &Plan<'_>, doors: &mut talk::Doors, mounted: Mounted) -> Step {
    identity::enter_user_namespace(plan, mounted)?;
    // Meanwhile the master writes the id maps. Its word is heard in any case: if a guard ended without it, the master would
    // hear of that (`ECONNRESET`) in the place of what failed.
    let opened = doors.open();
    if plan.user_namespace.is_none() {
        talk::wait_for_maps(plan)?;
    }
    opened
}

/// Takes the guard's name, keeps every signal for `pid1` to ask for, and lets go of the master's working directory.
fn become_pid1(plan: &Plan<'_>) -> Step {
    credentials::set_name(&plan.name).at(Stage::GUARD)?;
    signal::set_mask(&SigSet::full()).at(Stage::GUARD)?;
    process::umask(0);
    // A working directory keeps its file system busy, on the host too where that is shared.
    fs::chdir(c"/").at(Stage::GUARD)
}
