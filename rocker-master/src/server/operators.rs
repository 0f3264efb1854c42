//! Operators: what they want to know of the package cache.

use super::Server;
use crate::cache::Entry;
use core::ffi::CStr;
use rocker_proto::{CacheReply, CacheRequest, Request};
use rocker_sys::{Fd, Result, socket, time};

impl Server<'_> {
    pub(super) fn tell_of_cache(&mut self, client: &Fd, request: CacheRequest) {
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
