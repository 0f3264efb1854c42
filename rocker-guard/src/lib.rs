//! The guard: what runs between the clone and the end of a sandbox.
//!
//! The master calls [`enter`] in the child of `clone3(CLONE_NEWNS | CLONE_NEWPID | ...)`. From there on this process is
//! PID 1 of the new pid namespace. It builds the sandbox ([`setup`]), tells the client, gives up its own privileges and
//! stays ([`pid1`]) until nothing is left to guard. When it ends, for whatever reason, the kernel kills every process of
//! the pid namespace and drops every mount of the mount namespace.
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
mod identity;
mod layer_name;
mod layers;
mod mountinfo;
mod overlay;
mod overlay_mount;
mod package;
mod paths;
mod pid1;
mod plan;
mod pseudo_fs;
mod resolve;
mod seat;
mod setup;
mod step;
mod submount;
mod superblock;
mod talk;
mod tmpfs;

pub use cache::{CACHE_DIR, Cache, PackageId, Slot};
pub use plan::Plan;
use rocker_sys::{Fd, idle};

/// Builds the sandbox of this plan and guards it to its end.
///
/// # Safety
/// Runs in a process that was just cloned into new mount, pid, ipc and uts namespaces, with one thread. No descriptor but
/// the plan's two is used afterwards: all others are closed.
#[allow(unsafe_code)]
pub unsafe fn enter(plan: &Plan<'_>) -> ! {
    // SAFETY: the caller's promise.
    let built = unsafe { setup::build(plan) };
    let status = match built {
        Ok(_seat) => {
            // SAFETY: it is the guard's, and the plan's copy of the number is not used again.
            drop(unsafe { Fd::from_raw(plan.master) });
            // SAFETY: all that the plan asks for is done.
            unsafe { release(plan) };
            // SAFETY: as for `master`.
            pid1::stay(unsafe { Fd::from_raw(plan.client) })
        }
        Err(failure) => {
            talk::report(plan, failure);
            1
        }
    };
    rocker_sys::process::exit(status)
}

/// Gives back the page with the request.
///
/// # Safety
/// Nothing is read any more of what the plan's request borrows.
#[allow(unsafe_code)]
unsafe fn release(plan: &Plan<'_>) {
    let packet = plan.packet.as_ptr_range();
    // SAFETY: the caller's promise; these pages hold nothing but the packet.
    unsafe { idle::release(packet.start as usize..packet.end as usize) };
}
