//! `Plan`: everything that a guard must know, ready before the clone.

use crate::{Cache, MountPoints, Trust};
use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{Entrance, Request};
use rocker_sys::RawFd;

/// What to build, and whom to tell. The guard reads it from its own copy of the master's memory.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What the client asked for; decoded, and allowed by the master.
    pub request: &'a Request<'a>,
    /// The guard's name, NUL-padded, unique for the life of the master and after its restart.
    pub name: [u8; NAME_SIZE],
    /// Who is to own the user namespace, and the others through it: 0, or a client that is not root.
    pub owner: u32,
    /// The user namespace of an earlier sandbox of this App, which has its id maps.
    pub user_namespace: Option<RawFd>,
    /// The namespaces that the sandbox gets besides the user namespace.
    pub namespaces: u32,
    /// How the client gets in, and into what. By pidfd it takes a kernel that can (5.8) and a client that may trace the
    /// guard.
    pub entrance: Entrance,
    /// The client's connection.
    pub client: RawFd,
    /// The guard's end of its channel to the master.
    pub master: RawFd,
    /// What is mounted in the namespace that the guard's is a copy of.
    pub mounts: MountPoints<'a>,
    /// Packages that are mounted already.
    pub cache: Cache<'a>,
    /// Whom a package must come from, if that is asked.
    pub trust: Option<Trust<'a>>,
}

impl Plan<'_> {
    /// Is the owner another than root?
    pub fn is_owned(&self) -> bool {
        cfg!(feature = "unprivileged") && self.owner != 0
    }
}
