//! What the privileged tests share. Not for the device.
//!
//! Each case runs as a process of its own, PID 1 of a pid namespace, in a mount namespace with a fresh tmpfs at `/run`
//! ([`run_cases`]). Whatever it leaves behind goes with it, also when it fails or is killed. It finds a master to start
//! ([`Master`]), packages to launch ([`package()`]) and ways to look at what a launch left ([`Traces`]).
#![allow(unsafe_code, reason = "tests fork, mount and kill")]

mod app;
mod caller;
mod case;
mod change;
mod files;
mod filter;
mod master;
mod package;
mod patience;
mod peer;
mod pipe;
mod policy;
mod process;
mod program;
mod sandbox;
mod signing;
mod steady;
mod traces;

pub use app::{App, launch, launch_function, request, wait_for};
pub use caller::Caller;
pub use case::{Case, run_attacks, run_cases, run_cases_on_both_kernels, run_cases_on_this_kernel};
pub use change::{with_data_dir, with_exec_dir, with_ids, with_overlays, with_package};
pub use files::{
    MountLine, c_path, errno_of, make_dir, mount, mount_at, mount_tmpfs, mounts, mounts_of,
    overlays,
};
pub use filter::{ALL_NAMESPACES, Refusal, SETNS_BY_PIDFD, has_pidfds, refuse_calls};
pub use master::{Master, POLICY, binary, small_master, weakened_master};
pub use package::{package, package_of};
pub use patience::{assert_within, patience};
pub use peer::{Peer, SOCKET};
pub use pipe::pipe;
pub use policy::{POLICY_OF_1000, SOON, app_master, app_master_policy, start_for_app_master};
pub use process::{
    as_user, become_user, children_of, descriptors_of, in_fork, is_there, kill, limit_descriptors,
    status_of,
};
pub use program::{Program, ask_shell};
pub use sandbox::{Sandbox, ask, wait_for_guard, wait_for_master};
pub use signing::{
    KEYS, SIGNED, Signer, change_package, package_starts, signature_refusal, signed_request,
    strict_command, strict_master,
};
pub use steady::Steady;
pub use traces::{Traces, eventually};
