//! `Filter`: which system calls the App may make, as the guard says it with its word that the sandbox is ready.

use crate::connect::Ready;
use rocker_proto::limits::READY_MAX;
use rocker_proto::{Reply, Request, Seccomp};
use rocker_sys::{Errno, seccomp, socket, time};

/// A program for `seccomp(2)`, or none yet.
pub(crate) struct Filter {
    packet: [u8; READY_MAX],
    len: usize,
}

impl Filter {
    pub(crate) const NONE: Self = Self {
        packet: [0; READY_MAX],
        len: 0,
    };

    /// Waits until the sandbox is ready, and looks at what the guard says then. The packet stays where it is: if it says
    /// what failed, that is the caller's to hear, whom the kernel does not kill with the guard.
    pub(crate) fn wait(&mut self, ready: &Ready, request: &Request<'_>) -> Result<(), Errno> {
        let connection = ready.connection.raw();
        time::wait_readable(connection, ready.deadline_ms)?;
        let len = socket::peek(connection, &mut self.packet)?;
        let came = self.packet.get(..len).unwrap_or_default();
        let (filter, reply) = came
            .split_last_chunk::<{ Reply::SIZE }>()
            .ok_or(Errno::ECONNRESET)?;
        if !Reply::is_ready(reply) || filter.is_empty() != (request.seccomp == Seccomp::OFF) {
            return Err(Errno::ECONNRESET);
        }
        self.len = filter.len();
        Ok(())
    }

    /// Puts it on this process, if it is one of Rocker's own: they let through what an App's process does to get in. It takes
    /// no_new_privs.
    pub(crate) fn install(&self, request: &Request<'_>) -> Result<(), Errno> {
        self.put_if(request.policy.is_empty())
    }

    /// Puts it on this process, if a policy says what it lets through: what the App needs, and perhaps nothing else.
    pub(crate) fn install_policy(&self, request: &Request<'_>) -> Result<(), Errno> {
        self.put_if(!request.policy.is_empty())
    }

    fn put_if(&self, is_now: bool) -> Result<(), Errno> {
        match self.packet.get(..self.len) {
            Some(program) if is_now && !program.is_empty() => seccomp::install(program),
            _ => Ok(()),
        }
    }
}
