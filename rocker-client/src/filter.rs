//! `Filter`: which system calls the App may make, as the guard says it with its word that the sandbox is ready.

use crate::connect::Ready;
use crate::held;
use crate::identity::Identity;
use rocker_proto::limits::READY_MAX;
use rocker_proto::{At, ExecReply, Failure, Reply, Request, Seccomp, Stage};
use rocker_sys::{Errno, seccomp, socket, time};

/// A program for `seccomp(2)`, or none yet.
pub(crate) struct Filter {
    packet: [u8; READY_MAX],
    len: usize,
    /// Does a policy say what it lets through? Rocker's own filters let through what an App's process does to get in.
    is_policy: bool,
}

impl Filter {
    pub(crate) const NONE: Self = Self {
        packet: [0; READY_MAX],
        len: 0,
        is_policy: false,
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
        self.is_policy = !request.policy.is_empty();
        Ok(())
    }

    /// Hears from the master which filter a sandbox has that runs, and whose it is.
    pub(crate) fn hear(&mut self, ready: &Ready) -> Result<Identity, Failure> {
        let connection = ready.connection.raw();
        time::wait_readable(connection, ready.deadline_ms).at(Stage::ANSWER)?;
        let came = held::receive(connection, &mut self.packet, &mut []).at(Stage::ANSWER)?;
        let came = self.packet.get(..came.len).unwrap_or_default();
        came.split_last_chunk()
            .and_then(|(filter, reply)| {
                self.len = filter.len();
                let ExecReply { uid, gid } = ExecReply::decode(reply)?;
                Some(Identity::new(uid, gid))
            })
            .ok_or(Failure::of(Stage::REPLY, Errno::EPROTO))
    }

    /// Puts it on this process, if it is one of Rocker's own. It takes no_new_privs.
    pub(crate) fn install(&self) -> Result<(), Errno> {
        self.put_if(!self.is_policy)
    }

    /// Puts it on this process, if a policy says what it lets through: what the App needs, and perhaps nothing else.
    pub(crate) fn install_policy(&self) -> Result<(), Errno> {
        self.put_if(self.is_policy)
    }

    fn put_if(&self, is_now: bool) -> Result<(), Errno> {
        match self.packet.get(..self.len) {
            Some(program) if is_now && !program.is_empty() => seccomp::install(program),
            _ => Ok(()),
        }
    }
}
