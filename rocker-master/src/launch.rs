//! One launch, from the client's packet to the guard at work.
//!
//! The master reads the request ([`hear_request`]), and clones the guard ([`clone_guard`]), which from then on speaks with
//! the client by itself. Over the channel between the two the guard asks for its id maps and says how it went
//! ([`hear_guard`]). That is all: the master waits for nothing in between.

use crate::cache::PackageCache;
use crate::config::Config;
use crate::id_map;
use crate::kept::Kept;
use crate::kernel::Kernel;
use crate::mount_namespace::MountNamespace;
use crate::name::Names;
use crate::packet::Packet;
use crate::refusal::{self, refuse};
use crate::registry::{Guard, State};
use crate::trust::Generation;
use crate::user_namespaces::UserNamespaces;
use core::ffi::CStr;
use rocker_guard::{PackageId, Plan, Trust, work_dir};
use rocker_proto::limits::REQUEST_MAX;
use rocker_proto::{Failure, Report, Request, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::namespace::{CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS};
use rocker_sys::process::{self, Cloned};
use rocker_sys::signal::SIGCHLD;
use rocker_sys::socket::{self, Credentials};
use rocker_sys::{Errno, Fd, Result, time};

/// What every sandbox gets.
const ALWAYS: u32 = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

/// What a launch needs of the master.
pub(crate) struct Launcher<'a> {
    pub(crate) names: &'a mut Names,
    pub(crate) cache: &'a mut PackageCache,
    pub(crate) config: &'a Config<'a>,
    /// How many the peer has.
    pub(crate) sandboxes: u32,
    /// Whom its package must come from, and by which keys that is judged.
    pub(crate) trust: Option<Trust<'a>>,
    pub(crate) keys: Generation,
    pub(crate) user_namespaces: &'a UserNamespaces,
    pub(crate) mask: &'a CStr,
    pub(crate) mounts: &'a MountNamespace,
    pub(crate) kernel: Kernel,
}

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
    let mut pages = match Pages::new(REQUEST_MAX) {
        Ok(pages) => pages,
        Err(errno) => return Asked::Wrong(errno),
    };
    match socket::receive(client.raw(), pages.as_mut_slice(), socket::DONT_WAIT) {
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

/// Decodes the request and makes the guard that fulfils it, if this peer may have what it asks for. Whether it may ask at
/// all was settled when it connected.
///
/// A refusal has been told to the client and to the log when this returns `None`.
#[inline(never)] // smaller by itself
pub(crate) fn launch(launcher: &mut Launcher<'_>, client: Fd, packet: Packet) -> Option<State> {
    let request = match Request::decode(packet.bytes()) {
        Ok(request) => request,
        Err(refusal) => {
            refuse(
                &client,
                &packet.peer,
                refusal.app_id,
                &refusal.failure,
                refusal.path,
            );
            return None;
        }
    };
    let admitted = launcher
        .config
        .admit(&packet.peer, launcher.sandboxes, &request);
    if let Err(failure) = admitted {
        let path = request.path_of(&failure);
        refuse(&client, &packet.peer, request.app_id, &failure, path);
        return None;
    }
    match clone_guard(launcher, &client, &packet.peer, &request) {
        Ok((guard, channel)) => Some(State::Building {
            guard,
            channel,
            packet,
            is_ready: false,
        }),
        Err(errno) => {
            refuse(
                &client,
                &packet.peer,
                request.app_id,
                &Failure::new(Stage::CLONE, errno.raw()),
                None,
            );
            None
        }
    }
}

/// Clones the guard. The child never returns from here.
fn clone_guard(
    launcher: &mut Launcher<'_>,
    client: &Fd,
    peer: &Credentials,
    request: &Request<'_>,
) -> Result<(Guard, Fd)> {
    let (ours, theirs) = socket::pair()?;
    let owner = Config::owner(peer);
    if owner != 0 {
        // Another process than the one cloned here will be the guard: the kernel says which.
        socket::pass_credentials(ours.raw())?;
    }
    let lease = launcher.cache.lease();
    let plan = Plan {
        request,
        name: launcher.names.next(),
        owner,
        user_namespace: (owner == 0)
            .then(|| launcher.user_namespaces.find(request))
            .flatten(),
        namespaces: ALWAYS | launcher.kernel.cgroup_namespace,
        entrance: launcher.kernel.entrance_for(request, owner),
        client: client.raw(),
        master: theirs.raw(),
        mounts: launcher.mounts.points(),
        cache: launcher.cache.view(lease, launcher.mounts.cache()),
        trust: launcher.trust,
        mask: launcher.mask,
    };
    match clone(&plan, launcher.mounts.prepared()) {
        Ok((pid, pidfd)) => {
            let guard = Guard {
                pid,
                is_group: owner != 0,
                has_ended: false,
                told: None,
                pidfd,
                lease,
                peer_uid: peer.uid,
                keys: launcher.keys,
            };
            Ok((guard, ours))
        }
        Err(errno) => {
            launcher.cache.release(lease, time::monotonic_ms());
            Err(errno)
        }
    }
}

/// The child runs this plan.
#[allow(unsafe_code)]
fn clone(plan: &Plan<'_>, prepared: u32) -> Result<(i32, Option<Fd>)> {
    // A process that makes the guard lends it its exit signal, and has a pidfd that says nothing of it.
    let exit_signal = if plan.is_owned() { SIGCHLD } else { 0 };
    // SAFETY: the master has one thread; the child drops nothing, since `enter` does not return.
    match unsafe { process::clone(plan.first_namespaces() & !prepared, exit_signal) }? {
        // ---- the child: no allocation, no lock, no log below ----
        // SAFETY: cloned just now into the namespaces that `enter` wants, some of which were made before; nothing here runs
        // after it.
        Cloned::Child => unsafe { rocker_guard::enter(plan) },
        Cloned::Parent { pid, pidfd } => {
            if plan.is_owned() {
                // Of a child of this session that executes nothing it cannot fail; and before it has heard from here, the
                // child makes no guard.
                process::set_group(pid).unwrap_or_default();
            }
            Ok((pid, pidfd))
        }
    }
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
pub(crate) fn hear_guard(
    guard: &mut Guard,
    channel: &Fd,
    packet: &Packet,
    is_ready: &mut bool,
    kept: &mut Kept<'_>,
) -> Heard {
    let mut bytes = [0; Report::SIZE + PackageId::SIZE];
    let mut received = match socket::receive(channel.raw(), &mut bytes, socket::DONT_WAIT) {
        Err(Errno::EAGAIN) => return Heard::Nothing,
        result => result.unwrap_or_default(),
    };
    let len = received.len;
    if len == 0 && *is_ready {
        return Heard::Ready;
    }
    let bytes = bytes.get(..len).unwrap_or_default();
    let (bytes, verified) = bytes.split_at_checked(Report::SIZE).unwrap_or((bytes, &[]));
    let vanished = Failure::new(Stage::VANISHED, Errno::ECONNRESET.raw());
    let Report(report) = Report::decode(bytes).unwrap_or(Report(vanished));
    match report.stage {
        Stage::READY => {
            *is_ready = true;
            let sender = received.sender.map(|sender| sender.pid);
            guard.told = sender.and_then(|pid| Some((pid, received.fds.next()?)));
            // The last one is the lock of a seat, and no directory: it holds until the others are done.
            received.fds.for_each(|work| work_dir::clear(&work));
            Heard::Building
        }
        Stage::MAPS | Stage::MOUNTED => {
            if report.stage == Stage::MAPS {
                answer_maps(guard, channel, packet, &mut kept.user_namespaces);
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

fn answer_maps(guard: &Guard, channel: &Fd, packet: &Packet, kept: &mut UserNamespaces) {
    let is_owned = Config::owner(&packet.peer) != 0;
    // It was decoded before the clone, and nobody has written to it since.
    let request = Request::decode(packet.bytes()).map_err(|_| Errno::EPROTO);
    let written = request.and_then(|request| {
        id_map::write(guard.pid, &request, is_owned)?;
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
        kept.keep(&request, guard.pid).unwrap_or_default();
    }
}
