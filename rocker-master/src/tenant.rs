//! `Tenant`: what is kept of a request as long as its sandbox runs, for those who enter it later.

use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{Network, Request, Seccomp};

/// Who the sandbox's processes are, and what they may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenant {
    /// What the guard is called, NUL-padded.
    pub(crate) guard: [u8; NAME_SIZE],
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) seccomp: Seccomp,
    pub(crate) network: Network,
}

impl Tenant {
    /// Of a guard that waits to be called.
    pub(crate) const NOBODY: Self = Self::of(&Request::DEFAULT);

    /// Its guard has no name yet.
    pub(crate) const fn of(request: &Request<'_>) -> Self {
        Self {
            guard: [0; NAME_SIZE],
            uid: request.uid,
            gid: request.gid,
            seccomp: request.seccomp,
            network: request.network,
        }
    }

    pub(crate) fn guarded_by(self, guard: [u8; NAME_SIZE]) -> Self {
        Self { guard, ..self }
    }
}
