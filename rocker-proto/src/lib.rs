//! What crosses a socket between client, master and guard, and the [`policy`] that says who may ask for what: fixed sizes,
//! no I/O, no `unsafe`.
//!
//! All of them are `SOCK_SEQPACKET` packets, little-endian, so that golden bytes hold on every machine. The client's
//! connection reaches the master first; the guard inherits it in the clone, and from then on the master takes no part.
//!
//! ```text
//! client             master                guard
//!   | -- Request ------> |                    |     ids and paths; decoded without copying, refused rather than repaired
//!   | <- Reply (failure) |                    |     a request that is refused never makes a process
//!   |                    | == clone ========> |     the plan is the guard's own copy of the request
//!   | <------------------------------ Reply - |     the guard's name and descriptors: by these the client gets in, later
//!   |                    | <- Report(MAPS) -- |     "I am in my user namespace"
//!   |                    | -- Report(MAPPED)> |     uid_map, gid_map and setgroups are written
//!   |                    | <- Report(MOUNTED) |     in the place of both, where an earlier sandbox of the App has one
//!   |                    | <- Report -------- |     READY or what failed, for the log; what fails after READY too
//!   | <--------------------- filter, Reply - |     the same again: it is ready; or what failed. Unless the request says
//!   |                    |                    |     `off` there goes before it, in one packet, a program for seccomp(2)
//!   | -- Joined + pidfd --------------------> |     one for each process that enters; after that the connection may end,
//!   |                    |                    |     and the sandbox with it, if it is tied
//! ```
//!
//! One more process enters a sandbox that runs by the master alone, which tells root what the guard has told the launch:
//!
//! ```text
//! client             master
//!   | -- ExecRequest --> |         the guard's name
//!   | <- Reply --------- |         the descriptors; or what failed
//!   | <- filter, ids --- |         ExecReply
//! ```
//!
//! Which descriptors come with the first reply, it says itself: [`Entrance`]. Before the second one the process that enters
//! does nothing but wait: it looks at the packet, and leaves it to its parent, who hears what failed although the kernel
//! kills the other with the guard. If a filter is asked for, the process does not become an App without it.
//!
//! **Who trusts whom.** The master believes nothing in a request but what the kernel says of its sender (`SO_PEERCRED`).
//! The client believes a reply because the kernel says that root made the socket it connected to, and that the reply's
//! sender is the process that it names. The master believes a report because only its own child holds the other end, and
//! even so takes it for a number, never for an index. Having a decoded type proves that its bytes are well-formed: it does
//! not prove that a path exists, or that the sender may name it.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod cache;
mod data;
mod entrance;
mod exec;
mod failure;
mod joined;
pub mod limits;
mod network;
pub mod policy;
mod reader;
mod reply;
mod report;
mod request;
mod seccomp;
mod stage;
mod writer;

pub use cache::{CacheReply, CacheRequest};
pub use data::{Data, DataMode};
pub use entrance::Entrance;
pub use exec::{ExecReply, ExecRequest};
pub use failure::{At, Failure, NO_INDEX};
pub use joined::Joined;
pub use network::Network;
pub use reply::{Reply, Welcome};
pub use report::Report;
pub use request::{Packet, Request};
pub use seccomp::Seccomp;
pub use stage::Stage;
