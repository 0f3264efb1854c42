//! `Guard`: a guard as the master knows it.

use crate::cache::Lease;
use crate::packet::Packet;
use crate::quota::Usage;
use crate::tenant::Tenant;
use crate::trust::Generation;
use rocker_sys::Fd;
use rocker_sys::process::Which;

/// How far a guard has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It waits to be called. One that has no channel any more is about to end.
    Waiting,
    /// At work on its sandbox.
    Building,
    /// It has said that its sandbox is ready: it only has to tell the client, and to close the channel.
    Ready,
    /// That is done.
    Running,
}

/// A child of the master that has not been reaped.
pub(crate) struct Guard {
    pub(crate) pid: i32,
    /// Whose sandbox it guards, once it has been called.
    pub(crate) tenant: Tenant,
    /// Does the number stand for a process group too, in which the process of this number makes the guard and ends? So it
    /// does for a client that is not root, until it has ended and the guard has told who it is.
    pub(crate) is_group: bool,
    /// Has the process of this number ended, of a group that goes on?
    pub(crate) has_ended: bool,
    /// Who the guard of a group is, as it has told.
    pub(crate) told: Option<(i32, Fd)>,
    /// Kernels before 5.3 have none; there SIGCHLD tells. Held so that the event loop hears of the guard's end.
    pub(crate) pidfd: Option<Fd>,
    /// Its share in the package cache.
    pub(crate) lease: Lease,
    /// Whose sandbox it is.
    pub(crate) peer_uid: u32,
    /// The keys that it verifies its package by.
    pub(crate) keys: Generation,
    pub(crate) phase: Phase,
    /// To speak with it, until it is at work no longer.
    pub(crate) channel: Option<Fd>,
    /// The request that it is at work on.
    pub(crate) packet: Option<Packet>,
}

impl Guard {
    /// What of its user's quota it takes.
    pub(crate) fn usage(&self) -> Usage {
        let (launches, sandboxes) = match self.phase {
            Phase::Waiting => (0, 0),
            Phase::Building | Phase::Ready => (1, 1),
            Phase::Running => (0, 1),
        };
        Usage {
            uid: self.peer_uid,
            launches,
            sandboxes,
        }
    }

    /// For wait.
    pub(crate) fn children(&self) -> Which {
        if self.is_group {
            Which::Group(self.pid)
        } else {
            Which::Pid(self.pid)
        }
    }
}
