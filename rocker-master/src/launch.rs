//! One launch, from the client's packet to the guard at work.
//!
//! The master reads the request ([`hear_request`]), and finds out what this peer may have ([`admit`]). It calls a guard, one
//! that waits already or one that is born for it ([`crate::birth`]), which from then on speaks with the client by itself. Over
//! the channel between the two the guard asks for its id maps and says how it went ([`hear_guard`]). That is all: the master
//! waits for nothing in between.

use crate::call::TRAILER_SIZE;
use crate::config::Config;
use crate::guard::{Guard, Phase};
use crate::id_map;
use crate::kept::Kept;
use crate::launcher::Launcher;
use crate::packet::Packet;
use crate::refusal::{self, refuse};
use crate::tenant::Tenant;
use crate::user_namespaces::UserNamespaces;
use rocker_guard::{PackageId, work_dir};
use rocker_proto::limits::REQUEST_MAX;
use rocker_proto::{Failure, Report, Request, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::socket::{self, Credentials};
use rocker_sys::{Errno, Fd, RawFd};

/// What a client has said.
pub(crate) enum Asked {
    /// A request, not decoded yet.
    Request(Packet),
    /// Nothing so far.
    NotYet,
    /// Nothing, and it has left: somebody who looked whether a master is there.
    Nothing,
    /// What is no packet of ours.
    Wrong(Errno),
}

/// Reads the request of a client.
pub(crate) fn hear_request(client: &Fd, peer: Credentials) -> Asked {
    let mut pages = match Pages::new(REQUEST_MAX + TRAILER_SIZE) {
        Ok(pages) => pages,
        Err(errno) => return Asked::Wrong(errno),
    };
    let room = pages.as_mut_slice().get_mut(..REQUEST_MAX);
    match socket::receive(client.raw(), room.unwrap_or_default(), socket::DONT_WAIT) {
        // Descriptors that came along are closed here: a request has none.
        Ok(received) if received.len > 0 => Asked::Request(Packet {
            pages,
            len: received.len,
            peer,
        }),
        Ok(_) | Err(Errno::ECONNRESET) => Asked::Nothing,
        Err(Errno::EAGAIN) => Asked::NotYet,
        Err(errno) => Asked::Wrong(errno),
    }
}

/// What a peer may have.
pub(crate) struct Admitted {
    pub(crate) app_id: i32,
    pub(crate) tenant: Tenant,
    /// Who is to own the sandbox: 0, or the peer.
    pub(crate) owner: u32,
    /// That of its App's earlier sandboxes.
    pub(crate) user_namespace: Option<RawFd>,
    pub(crate) requires_signature: bool,
}

/// Decodes the request, and says what this peer, who has so many sandboxes, may have of it. Whether it may ask at all was
/// settled when it connected.
///
/// A refusal has been told to the client and to the log when this returns `None`.
#[inline(never)] // smaller by itself
pub(crate) fn admit(
    launcher: &Launcher<'_>,
    client: &Fd,
    packet: &Packet,
    sandboxes: u32,
    requires_signature: bool,
) -> Option<Admitted> {
    let peer = &packet.peer;
    let request = match Request::decode(packet.bytes()) {
        Ok(request) => request,
        Err(refusal) => {
            refuse(client, peer, refusal.app_id, &refusal.failure, refusal.path);
            return None;
        }
    };
    if let Err(failure) = launcher.config.admit(peer, sandboxes, &request) {
        let path = request.path_of(&failure);
        refuse(client, peer, request.app_id, &failure, path);
        return None;
    }
    let owner = Config::owner(peer);
    let kept = (owner == 0).then(|| launcher.kept.user_namespaces.find(&request));
    Some(Admitted {
        app_id: request.app_id,
        tenant: Tenant::of(&request),
        owner,
        user_namespace: kept.flatten(),
        requires_signature,
    })
}

/// What a guard's word means for its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// No word so far.
    Nothing,
    /// It goes on building.
    Building,
    /// The sandbox is ready.
    Ready,
    /// It failed, or died; the log has it.
    Failed,
}

/// One word of a guard at work, if there is one.
#[inline(never)] // smaller by itself
pub(crate) fn hear_guard(guard: &mut Guard, kept: &mut Kept<'_>) -> Heard {
    let (Some(channel), Some(packet)) = (&guard.channel, &guard.packet) else {
        return Heard::Nothing;
    };
    let mut bytes = [0; Report::SIZE + PackageId::SIZE];
    let mut received = match socket::receive(channel.raw(), &mut bytes, socket::DONT_WAIT) {
        Err(Errno::EAGAIN) => return Heard::Nothing,
        result => result.unwrap_or_default(),
    };
    let len = received.len;
    if len == 0 && guard.phase == Phase::Ready {
        return Heard::Ready;
    }
    let bytes = bytes.get(..len).unwrap_or_default();
    let (bytes, verified) = bytes.split_at_checked(Report::SIZE).unwrap_or((bytes, &[]));
    let vanished = Failure::new(Stage::VANISHED, Errno::ECONNRESET.raw());
    let Report(report) = Report::decode(bytes).unwrap_or(Report(vanished));
    match report.stage {
        Stage::READY => {
            guard.phase = Phase::Ready;
            let sender = received.sender.map(|sender| sender.pid);
            guard.told = sender.and_then(|pid| Some((pid, received.fds.next()?)));
            // The last one is the lock of a seat, and no directory: it holds until the others are done.
            received.fds.for_each(|work| work_dir::clear(&work));
            Heard::Building
        }
        Stage::MAPS | Stage::MOUNTED => {
            if report.stage == Stage::MAPS {
                answer_maps(guard.pid, channel, packet, &mut kept.user_namespaces);
            }
            if let Some(package) = PackageId::from_bytes(verified) {
                kept.trust.remember(package, guard.keys);
            }
            // After the answer, for which the guard waits. No slot has a number that a byte cannot hold.
            let slot = report.index.try_into().ok();
            guard.lease = kept
                .cache
                .choose(guard.lease, slot, received.fds.next(), packet);
            Heard::Building
        }
        _ => {
            refusal::log_failure(packet, &report);
            Heard::Failed
        }
    }
}

fn answer_maps(pid: i32, channel: &Fd, packet: &Packet, kept: &mut UserNamespaces) {
    let is_owned = Config::owner(&packet.peer) != 0;
    // It was decoded before the clone, and nobody has written to it since.
    let request = Request::decode(packet.bytes()).map_err(|_| Errno::EPROTO);
    let written = request.and_then(|request| {
        id_map::write(pid, &request, is_owned)?;
        Ok(request)
    });
    let answer = match &written {
        Ok(_) => Report::reached(Stage::MAPPED),
        Err(errno) => Report(Failure::new(Stage::ID_MAPS, errno.raw())),
    };
    // A guard that has died meanwhile is heard of by its pidfd.
    socket::send(channel.raw(), &answer.encode(), &[]).unwrap_or_default();
    if let (Ok(request), false) = (written, is_owned) {
        // Without it the next sandbox has one of its own.
        kept.keep(&request, pid).unwrap_or_default();
    }
}
