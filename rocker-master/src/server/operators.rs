//! Operators: what root wants of the package cache, and of a sandbox that runs.

use super::Server;
use crate::cache::Entry;
use crate::refusal;
use core::ffi::CStr;
#[cfg(feature = "exec")]
use rocker_proto::ExecRequest;
use rocker_proto::{CacheReply, CacheRequest, Failure, Request, Stage};
use rocker_sys::socket::{self, Credentials};
use rocker_sys::{Errno, Fd, Result, time};

/// What an operator asks, instead of a launch.
pub(super) enum Question {
    Cache(CacheRequest),
    #[cfg(feature = "exec")]
    Exec(ExecRequest),
}

impl Question {
    pub(super) fn decode(packet: &[u8]) -> Option<Self> {
        #[cfg(feature = "exec")]
        if let Some(request) = ExecRequest::decode(packet) {
            return Some(Self::Exec(request));
        }
        CacheRequest::decode(packet).map(Self::Cache)
    }
}

impl Server<'_> {
    pub(super) fn answer(&mut self, client: &Fd, peer: &Credentials, question: &Question) {
        let answered = match question {
            _ if peer.uid != 0 => Err(Failure::of(Stage::PEER, Errno::EPERM)),
            Question::Cache(request) => {
                self.tell_of_cache(client, *request);
                Ok(())
            }
            #[cfg(feature = "exec")]
            Question::Exec(request) => self.let_in(client, request),
        };
        if let Err(failure) = answered {
            refusal::refuse(client, peer, 0, &failure, None);
        }
    }

    fn tell_of_cache(&mut self, client: &Fd, request: CacheRequest) {
        let dropped = match request {
            CacheRequest::List => 0,
            CacheRequest::Drop => self.launcher.kept.cache.drop_idle(),
        };
        // Before the answer: then the files are free.
        self.unmount_packages();
        // Whoever does not read what he asked for does not get it: nobody is waited for.
        self.list_cache(client, dropped).unwrap_or_default();
    }

    fn list_cache(&self, client: &Fd, dropped: u32) -> Result<()> {
        socket::set_nonblocking(client.raw())?;
        for Entry {
            packet,
            users,
            idle_ms,
        } in self.launcher.kept.cache.entries(time::monotonic_ms())
        {
            let request = Request::decode(packet.bytes()).ok();
            let package = request.map(|request| request.package);
            send(
                client,
                users,
                u32::try_from(idle_ms).unwrap_or(u32::MAX),
                package,
            )?;
        }
        send(client, dropped, 0, None)
    }
}

fn send(client: &Fd, users: u32, idle_ms: u32, package: Option<&CStr>) -> Result<()> {
    let reply = CacheReply {
        users,
        idle_ms,
        package,
    };
    // A path that came in a request fits.
    let packet = reply.encode().unwrap_or_default();
    socket::send(client.raw(), &packet, &[])
}
