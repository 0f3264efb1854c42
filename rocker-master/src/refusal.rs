//! Launches that are refused or fail: who is told, and what the log says.

use crate::log::Line;
use crate::packet::Packet;
use core::ffi::CStr;
use rocker_proto::{Failure, Reply, Request};
use rocker_sys::Fd;
use rocker_sys::socket::{self, Credentials};

/// Tells the client and the log.
pub(crate) fn refuse(
    client: &Fd,
    peer: &Credentials,
    app_id: i32,
    failure: &Failure,
    path: Option<&CStr>,
) {
    // It may have left; the packet is small enough never to be waited for.
    socket::send(
        client.raw(),
        &Reply {
            outcome: Err(*failure),
        }
        .encode(),
        &[],
    )
    .unwrap_or_default();
    log(peer, app_id, failure, path);
}

/// Tells the log what a guard has failed at. Its client knows.
pub(crate) fn log_failure(packet: &Packet, failure: &Failure) {
    let request = Request::decode(packet.bytes()).ok();
    let path = request
        .as_ref()
        .and_then(|request| request.path_of(failure));
    log(
        &packet.peer,
        request.map_or(0, |request| request.app_id),
        failure,
        path,
    );
}

fn log(peer: &Credentials, app_id: i32, failure: &Failure, path: Option<&CStr>) {
    Line::new()
        .text("launch app=")
        .number(app_id)
        .text(" peer=")
        .number(peer.pid)
        .text(" uid=")
        .unsigned(peer.uid)
        .failure(failure, path)
        .print_about(peer.uid);
}
