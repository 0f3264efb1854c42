//! The guard: what runs between the clone and the end of a sandbox.
//!
//! The master makes [`Prepared`] in the child of `clone3(CLONE_NEWNS | CLONE_NEWPID | ...)`, and [`enter`]s when there is
//! something to guard. This process is PID 1 of the new pid namespace (or makes it, for a client that is not root: [`owner`]).
//! It builds the sandbox ([`setup`]), tells the client, gives up its own privileges and stays ([`pid1`]) until nothing is left
//! to guard. When it ends, for whatever reason, the kernel kills every process of the pid namespace and drops every mount of
//! the mount namespace.
//!
//! It makes system calls and nothing else: no allocation, no locks, no logging, no exec. A failure is three numbers, sent
//! to the client and to the master, which writes the log.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod alone;
mod cache;
mod defence;
mod doors;
mod identity;
mod image;
#[cfg(feature = "signatures")]
mod keys;
mod layer_name;
mod layers;
mod mask;
mod mount_points;
mod network;
mod numbers;
mod overlay;
mod overlay_mount;
mod owner;
mod package;
mod paths;
mod pid1;
mod place;
mod plan;
mod prepared;
mod pseudo_fs;
pub mod resolve;
mod seat;
mod seccomp;
mod setup;
mod spent;
mod step;
mod submount;
mod superblock;
mod talk;
mod tmpfs;
#[cfg(feature = "signatures")]
mod trust;
#[cfg(not(feature = "signatures"))]
#[path = "trust/nothing.rs"]
mod trust;
pub mod work_dir;

pub use cache::{CACHE_DIR, Cache, Home, PackageId, Slot, slot_path};
pub use defence::Defence;
pub use doors::Doors;
pub use mount_points::MountPoints;
pub use numbers::Numbers;
pub use place::Place;
pub use plan::Plan;
pub use prepared::Prepared;
pub use seccomp::Filter;
pub use trust::Trust;

use core::mem;
use rocker_proto::Failure;
use rocker_sys::{Fd, process, settle};
use seat::Seat;

/// Builds the sandbox of this plan and guards it to its end.
///
/// # Safety
/// Runs in a process that was cloned into the plan's namespaces, but for the uts namespace, or into a mount namespace alone if
/// the plan [has an owner](Plan::is_owned); with one thread and no signal handler, of a program that is linked statically to
/// fixed low addresses and takes less than 1 MiB. The plan's descriptors are the guard's from here on.
#[allow(unsafe_code)]
pub unsafe fn enter(plan: &Plan<'_>, prepared: Result<Prepared<'_>, Failure>) -> ! {
    // SAFETY: the caller's promise.
    let seat = unsafe { setup::build(plan, prepared) };
    // SAFETY: it is the guard's, and the plan's copy of the number is not used again.
    drop(unsafe { Fd::from_raw(plan.master) });
    // The client has just been woken, often on this very processor: what costs time waits until it has had its turn.
    if pid1::wait_for_client(plan.client).is_err() {
        process::exit(1);
    }
    // Held until the process ends, wherever the value was.
    mem::forget(seat.map(Seat::into_lock));
    let stay = if plan.request.tied {
        pid1::stay_with_client
    } else {
        pid1::stay
    };
    // SAFETY: as the caller promises; `stay` uses nothing but the number of its descriptor, which is the guard's.
    unsafe { settle::settle(stay, plan.client as usize) }
}
