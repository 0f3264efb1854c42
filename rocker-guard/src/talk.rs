//! What the guard says, to the client and to the master.

use crate::Plan;
use crate::step::{At, Step};
use core::ffi::CStr;
use rocker_proto::reply::NAMESPACES;
use rocker_proto::{Failure, Reply, Report, Stage};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Errno, Fd, RawFd, Result, fs, process, socket, time};

/// How long the master may take to write three small files, in milliseconds. It has one thread, which at worst is in the
/// middle of other launches.
const MAPS_TIMEOUT_MS: u64 = 10_000;

/// The namespaces for the client, in the order in which they are sent.
const NAMESPACE_FILES: [&CStr; NAMESPACES] = [
    c"/proc/self/ns/mnt",
    c"/proc/self/ns/pid",
    c"/proc/self/ns/ipc",
    c"/proc/self/ns/uts",
    c"/proc/self/ns/user",
];

/// Descriptors of everything that a client needs to join.
pub(crate) struct Namespaces {
    fds: [Fd; NAMESPACES],
    /// This process's own; kernels before 5.3 have none.
    pidfd: Option<Fd>,
}

impl Namespaces {
    pub(crate) fn open() -> Step<Self> {
        let open = |file: &CStr| fs::open(file, O_RDONLY).at(Stage::NAMESPACES);
        let [mnt, pid, ipc, uts, user] = NAMESPACE_FILES;
        let fds = [open(mnt)?, open(pid)?, open(ipc)?, open(uts)?, open(user)?];
        let pidfd = match process::pidfd_open(process::pid()) {
            Ok(pidfd) => Some(pidfd),
            Err(Errno::ENOSYS) => None,
            Err(errno) => return Err(errno).at(Stage::NAMESPACES),
        };
        Ok(Self { fds, pidfd })
    }
}

/// Tells client and master that the sandbox is ready.
pub(crate) fn ready(plan: &Plan<'_>, namespaces: &Namespaces) -> Step {
    let reply = Reply {
        outcome: Ok(plan.name),
    }
    .encode();
    let mut fds = heapless::Vec::<RawFd, { socket::FDS_MAX }>::new();
    for fd in namespaces.fds.iter().chain(&namespaces.pidfd) {
        fds.push(fd.raw())
            .map_err(|_| Errno::E2BIG)
            .at(Stage::NAMESPACES)?;
    }
    // A client that has left cannot join: then there is nothing to guard.
    socket::send(plan.client, &reply, &fds).at(Stage::VANISHED)?;
    // A master that ends now leaves its sandboxes running, this one too: it is said for its log alone.
    tell_master(plan, Report::reached(Stage::READY)).unwrap_or_default();
    Ok(())
}

/// Tells client and master what failed. Whoever of them is gone does not need to know.
pub(crate) fn report(plan: &Plan<'_>, failure: Failure) {
    tell_master(plan, Report(failure)).unwrap_or_default();
    socket::send(
        plan.client,
        &Reply {
            outcome: Err(failure),
        }
        .encode(),
        &[],
    )
    .unwrap_or_default();
}

/// Asks the master for the id maps, and waits for its word that they are written.
pub(crate) fn wait_for_maps(plan: &Plan<'_>) -> Step {
    tell_master(plan, Report::reached(Stage::MAPS)).at(Stage::ID_MAPS)?;
    let deadline = time::monotonic_ms().saturating_add(MAPS_TIMEOUT_MS);
    time::wait_readable(plan.master, deadline).at(Stage::ID_MAPS)?;
    let mut bytes = [0; Report::SIZE];
    let received =
        socket::receive(plan.master, &mut bytes, socket::DONT_WAIT).at(Stage::ID_MAPS)?;
    match Report::decode(bytes.get(..received.len).unwrap_or_default()) {
        Some(Report(Failure {
            stage: Stage::MAPPED,
            ..
        })) => Ok(()),
        Some(Report(failure)) => Err(failure),
        // The master ended.
        None => Err(Errno::ECONNRESET).at(Stage::ID_MAPS),
    }
}

fn tell_master(plan: &Plan<'_>, report: Report) -> Result<()> {
    socket::send(plan.master, &report.encode(), &[])
}
