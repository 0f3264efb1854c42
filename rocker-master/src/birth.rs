//! The birth of a guard: it is cloned, does what is the same for every sandbox, and waits to be called.
//!
//! So the guard of the next launch can be there before anybody asks for it. A guard that is called has all that the master
//! knew when it was born, in its copy of the master's memory; the call says what is this launch's alone.

use crate::cache::Lease;
use crate::call::{Call, TRAILER_SIZE};
use crate::guard::{Guard, Phase};
use crate::launch::Admitted;
use crate::launcher::Launcher;
use crate::packet::Packet;
use crate::tenant::Tenant;
use core::ffi::CStr;
use rocker_guard::Prepared;
use rocker_proto::Request;
use rocker_proto::limits::{NAME_SIZE, REQUEST_MAX};
use rocker_sys::namespace::{CLONE_NEWNS, CLONE_NEWUTS};
use rocker_sys::process::{self, Cloned};
use rocker_sys::signal::SIGCHLD;
use rocker_sys::{Fd, OLD_KERNELS, Result, credentials, socket, time};

/// What a guard is called that was made early.
const NEXT: [u8; NAME_SIZE] = *b"rocker-next\0\0\0\0\0";

/// What a guard is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// Root's next launch.
    Early,
    /// A launch that waits for it, and whose sandbox is to be this user's.
    For(u32),
}

impl Birth {
    fn owner(self) -> u32 {
        match self {
            Self::Early => 0,
            Self::For(owner) => owner,
        }
    }
}

/// Clones a guard, which then waits to be called. The child never returns from here.
pub(crate) fn bear(launcher: &Launcher<'_>, mask: &CStr, birth: Birth) -> Result<Guard> {
    let owner = birth.owner();
    let (ours, theirs) = socket::pair()?;
    let (namespaces, exit_signal) = if owner == 0 {
        (launcher.namespaces() & !CLONE_NEWUTS, 0)
    } else {
        // Another process than the one cloned here will be the guard: the kernel says which. The one lends it its exit signal,
        // and has a pidfd that says nothing of it.
        socket::pass_credentials(ours.raw())?;
        (CLONE_NEWNS, SIGCHLD)
    };
    let (pid, pidfd) = clone(
        launcher,
        mask,
        birth,
        &theirs,
        namespaces & !launcher.mounts.prepared(),
        exit_signal,
    )?;
    if owner != 0 {
        // Of a child of this session that executes nothing it cannot fail; and before it has been called, the child makes no
        // guard.
        process::set_group(pid).unwrap_or_default();
    }
    Ok(Guard {
        pid,
        tenant: Tenant::NOBODY,
        is_group: owner != 0,
        has_ended: false,
        told: None,
        pidfd,
        lease: Lease::Nothing,
        peer_uid: owner,
        keys: launcher.kept.trust.generation(),
        phase: Phase::Waiting,
        channel: Some(ours),
        packet: None,
    })
}

#[allow(unsafe_code)]
fn clone(
    launcher: &Launcher<'_>,
    mask: &CStr,
    birth: Birth,
    channel: &Fd,
    namespaces: u32,
    exit_signal: u32,
) -> Result<(i32, Option<Fd>)> {
    // SAFETY: the master has one thread; the child drops nothing that it means to keep, since `wait` does not return.
    match unsafe { process::clone(namespaces, exit_signal) }? {
        // ---- the child: no allocation, no lock, no log below ----
        Cloned::Child => wait(launcher, mask, birth, channel),
        Cloned::Parent { pid, pidfd } => Ok((pid, pidfd)),
    }
}

/// The guard's first steps: what needs no request, and then to wait for one. A master that ends, or gives the guard up, closes
/// its end of the channel.
#[allow(unsafe_code)]
fn wait(launcher: &Launcher<'_>, mask: &CStr, birth: Birth, channel: &Fd) -> ! {
    let owner = birth.owner();
    let home = launcher.mounts.cache();
    let (namespace, dir) = home.map_or((-1, -1), |home| (home.namespace, home.dir));
    // SAFETY: of what was open before, nothing but the channel and the cache's home is used from here on.
    let prepared = unsafe {
        Prepared::new(
            &[channel.raw(), namespace, dir],
            mask,
            launcher.mounts.points(),
            // Without a home of its own the cache lies below /proc. An owner who is not root is to be rid of root's /proc.
            owner == 0 && (home.is_some() || !OLD_KERNELS),
        )
    };
    if birth == Birth::Early && (prepared.is_err() || credentials::set_name(&NEXT).is_err()) {
        // The launch has one made that may fare better.
        process::exit(1);
    }
    let mut bytes = [0; REQUEST_MAX + TRAILER_SIZE];
    let mut received = socket::receive(channel.raw(), &mut bytes, 0).unwrap_or_default();
    let packet = bytes.get(..received.len).unwrap_or_default();
    if let (Some((request, call)), Some(client)) = (Call::decode(packet), received.fds.next())
        && let Ok(request) = Request::decode(request)
    {
        let user_namespace = received.fds.next();
        let ends = (&client, channel);
        let plan = launcher.plan(owner, &request, &call, user_namespace.as_ref(), ends);
        // SAFETY: cloned into the namespaces that `enter` wants, some of which were made before; nothing here runs after it.
        unsafe { rocker_guard::enter(&plan, prepared) }
    }
    process::exit(0)
}

/// Tells a guard that waits what it is to guard, and whose connection it serves from now on. Gives its part of the cache.
pub(crate) fn call(
    launcher: &mut Launcher<'_>,
    guard: &mut Guard,
    client: &Fd,
    packet: &mut Packet,
    admitted: &Admitted,
) -> Result<Lease> {
    let lease = launcher.kept.cache.lease();
    let call = Call {
        name: launcher.names.next(),
        free: lease.kept(),
        requires_signature: admitted.requires_signature,
    };
    let channel = guard.channel.as_ref().map_or(-1, Fd::raw);
    let packet = packet.with(&call.encode());
    let sent = match admitted.user_namespace {
        Some(namespace) => socket::send(channel, packet, &[client.raw(), namespace]),
        None => socket::send(channel, packet, &[client.raw()]),
    };
    if let Err(errno) = sent {
        launcher.kept.cache.release(lease, time::monotonic_ms());
        return Err(errno);
    }
    guard.tenant = admitted.tenant.guarded_by(call.name);
    Ok(lease)
}
