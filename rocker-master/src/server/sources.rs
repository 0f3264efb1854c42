//! `Sources`: what the loop listens to.

use super::token;
use crate::listener::Listener;
use crate::memory_pressure::MemoryPressure;
use crate::mount_namespace::MountNamespace;
use rocker_sys::epoll::Epoll;
use rocker_sys::signal::{self, SIGCHLD, SIGHUP, SigSet};
use rocker_sys::{Fd, Result};

/// Clients and guards come to it as they come to the server.
pub(crate) struct Sources {
    pub(super) epoll: Epoll,
    pub(super) signals: Fd,
    _pressure: Option<MemoryPressure>,
}

impl Sources {
    /// Clients that connect, signals, the host's mounts, and memory that runs short; `ends` are the signals that end the
    /// master.
    pub(crate) fn watch(
        listener: &Listener<'_>,
        mounts: &MountNamespace,
        ends: &[u32],
    ) -> Result<Self> {
        let others = SigSet::empty().with(SIGCHLD).with(SIGHUP);
        let mask = ends.iter().fold(others, |set, signal| set.with(*signal));
        signal::set_mask(&mask)?;
        let epoll = Epoll::new()?;
        let signals = signal::signalfd(&mask)?;
        epoll.watch(listener.socket.raw(), token::LISTENER)?;
        epoll.watch(signals.raw(), token::SIGNALS)?;
        epoll.watch_exceptions(mounts.host_table().raw(), token::HOST_MOUNTS)?;
        let pressure = MemoryPressure::watch(&epoll, token::MEMORY);
        Ok(Self {
            epoll,
            signals,
            _pressure: pressure,
        })
    }
}
