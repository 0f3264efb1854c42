//! What the benches and the table of budgets share.
//!
//! Everything runs in a [`World`]: a pid namespace and private mounts, which go when the run ends, however it ends. In it
//! two kinds of [`Agent`] launch: the floor, a static C program that asks the bare kernel for the same sandbox, and ours, a
//! process of this executable that asks a real rocker-master ([`app_master`]). Both take one letter per launch and answer
//! with the same three times, so that they can take turns in one run: times are worth something only beside each other.
#![allow(unsafe_code, reason = "benches fork, mount and kill")]

mod agent;
pub mod app_master;
mod cache;
mod cgroup;
mod clock;
mod herd;
mod launch_args;
mod master;
mod package;
pub mod peers;
pub mod proc;
mod samples;
mod sandbox;
mod start;
mod world;

pub use agent::{Agent, Letter, Times};
pub use cache::{forget, wait_until_unused};
pub use herd::Herd;
pub use launch_args::{Launch, Way};
pub use master::Master;
pub use package::{FORMATS, Packages};
pub use samples::{Samples, in_turns, median, quartile, twentieth};
pub use sandbox::wait_until_free;
pub use world::World;

/// The floor program.
pub const FLOOR: &str = env!("FLOOR");
