//! Asking the master about its package cache.

use crate::connect::{TIMEOUT_MS, tell};
use crate::held;
use core::ffi::CStr;
use rocker_proto::limits::CACHE_REPLY_MAX;
use rocker_proto::{At, CacheReply, CacheRequest, Failure, Stage};
use rocker_sys::{Errno, time};

/// Asks, and hands on what is in the cache, package by package; gives how many were unmounted.
///
/// # Errors
/// The stages of a launch up to its answer. `EPROTO` if the answer is none, such as the refusal of a master that does not
/// talk to this user.
pub fn ask_cache(
    socket: &CStr,
    request: CacheRequest,
    mut each: impl FnMut(&CacheReply<'_>),
) -> Result<u32, Failure> {
    let deadline_ms = time::monotonic_ms().saturating_add(TIMEOUT_MS);
    let (connection, sent) = tell(socket, &request.encode(), deadline_ms)?;
    sent.at(Stage::SEND)?;
    let mut packet = [0; CACHE_REPLY_MAX];
    loop {
        time::wait_readable(connection.raw(), deadline_ms).at(Stage::ANSWER)?;
        let received = held::receive(connection.raw(), &mut packet, &mut []);
        let len = received.at(Stage::ANSWER)?.len;
        if len == 0 {
            return Err(Failure::of(Stage::ANSWER, Errno::ECONNRESET));
        }
        let reply = CacheReply::decode(packet.get(..len).unwrap_or_default())
            .ok_or_else(|| Failure::of(Stage::REPLY, Errno::EPROTO))?;
        if reply.package.is_none() {
            return Ok(reply.users);
        }
        each(&reply);
    }
}
