//! The set-up, in order: read it top to bottom and you know what a sandbox is.

use crate::cache::OpenCache;
use crate::overlay::Overlays;
use crate::package::{Mounted, Package};
use crate::seat::Seat;
use crate::seccomp::Filter;
use crate::step::{At, Step};
use crate::{Doors, Plan, Prepared, identity, network, owner, pseudo_fs, talk};
use core::ffi::CStr;
use rocker_proto::{Failure, Stage};
use rocker_sys::namespace::{self, CLONE_NEWUTS};
use rocker_sys::{OLD_KERNELS, credentials, process};

/// Not by number, which would be another process's in a `/proc` of another pid namespace.
const NAMESPACES: &CStr = c"/proc/self/ns";

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
pub(crate) unsafe fn build(plan: &Plan<'_>, prepared: Step<Prepared<'_>>) -> Option<Seat> {
    let Prepared {
        mask,
        host_proc,
        shows_kernel,
    } = must(plan, prepared);
    if !plan.is_owned() {
        // Here, and not in the clone, so that the host's name is what it is now.
        must(plan, namespace::unshare(CLONE_NEWUTS).at(Stage::CLONE));
    }
    must(plan, credentials::set_name(&plan.name).at(Stage::GUARD));
    let mut doors = Doors::closed(plan.entrance, 0, NAMESPACES);
    let is_early = !plan.entrance.is_one_by_one();
    if is_early {
        // A pidfd stands for all namespaces, also for those that are made later. So the client has it now, and makes its
        // child while the sandbox is built.
        must(plan, doors.open());
        must(plan, talk::welcome(plan, &doors));
    }

    let request = &plan.request;
    let filter = must(plan, Filter::of(request.seccomp, request.policy));
    // SAFETY: this is done once, and nobody else uses those descriptors of the plan.
    let cache = unsafe { OpenCache::open(&plan.cache) };
    let cache = must(plan, cache.at(Stage::PACKAGE_CACHE));
    let package = Package::open(request.package, &cache, plan.trust.as_ref());
    let package = must(plan, package);
    let mut overlays = Overlays::of(request, &host_proc);
    must(plan, overlays.open());

    let seat = must(plan, overlays.mount(plan.mounts));
    // Here, since to pass it on would copy it.
    drop(overlays);
    let mounted = must(plan, package.mount(request.exec_dir, cache));
    if !plan.is_owned() {
        if OLD_KERNELS && !shows_kernel {
            must(plan, pseudo_fs::close(&mask.file, plan.mounts));
        }
        must(plan, network::leave_host(request));
        must(plan, enter_user_namespace(plan, &mut doors, mounted));
    } else {
        must(plan, pseudo_fs::close_sys(plan.mounts));
        // SAFETY: one thread; in the process that does not come back, nothing is dropped.
        let mask = must(plan, unsafe { owner::become_guard(plan, &mask, mounted) });
        must(plan, pseudo_fs::mount_proc(&mask));
        must(plan, network::leave_host(request));
        must(plan, doors.open());
    }
    must(plan, identity::become_app(plan));
    if !is_early {
        must(plan, talk::welcome(plan, &doors));
    }
    must(plan, talk::tell_master(plan, &doors, seat.as_ref()));
    // Last of what may fail, as whatever was sent before goes to the account of the real root.
    must(plan, identity::leave_root(plan));
    must(plan, talk::tell_client(plan, &doors, filter));
    seat
}

/// A step that fails is the guard's last. Nothing is dropped on that way: the kernel takes it all, and code for it at each step
/// would be half a kilobyte.
fn must<T>(plan: &Plan<'_>, step: Step<T>) -> T {
    match step {
        Ok(value) => value,
        Err(failure) => fail(plan, failure),
    }
}

#[cold]
#[inline(never)] // smaller by itself
fn fail(plan: &Plan<'_>, failure: Failure) -> ! {
    talk::report(plan, failure);
    process::exit(1)
}

fn enter_user_namespace(plan: &Plan<'_>, doors: &mut Doors<'_>, mounted: Mounted) -> Step {
    identity::enter_user_namespace(plan, mounted)?;
    // Meanwhile the master writes the id maps. Its word is heard in any case: if a guard ended without it, the master would
    // hear of that (`ECONNRESET`) in the place of what failed.
    let opened = doors.open();
    if plan.user_namespace.is_none() {
        talk::wait_for_maps(plan)?;
    }
    opened
}
