//! What the guard says, to the client and to the master.

use crate::numbers::Numbers;
use crate::package::Mounted;
use crate::seat::Seat;
use crate::seccomp::Filter;
use crate::step::{At, Step};
use crate::{Doors, PackageId, Plan};
use rocker_proto::{Failure, NO_INDEX, Reply, Report, Stage, Welcome};
use rocker_sys::{Errno, socket, time};

/// How long the master may take to write three small files, in milliseconds. It has one thread, which at worst is in the
/// middle of other launches.
const MAPS_TIMEOUT_MS: u64 = 10_000;

/// Gives the client what it needs to join, which nobody does before it hears READY.
pub(crate) fn welcome(plan: &Plan<'_>, doors: &Doors<'_>) -> Step {
    // A client that has left cannot join: then there is nothing to guard.
    socket::send(plan.client, &reply(plan, doors), doors.numbers().as_slice()).at(Stage::VANISHED)
}

/// Tells the client that the sandbox is ready.
pub(crate) fn tell_client(plan: &Plan<'_>, doors: &Doors<'_>, mut filter: Filter) -> Step {
    let reply = reply(plan, doors);
    socket::send(plan.client, filter.before(&reply), &[]).at(Stage::VANISHED)
}

fn reply(plan: &Plan<'_>, doors: &Doors<'_>) -> [u8; Reply::SIZE] {
    let welcome = Welcome {
        name: plan.name,
        entrance: doors.entrance(),
    };
    Reply {
        outcome: Ok(welcome),
    }
    .encode()
}

/// Tells the master that the sandbox is ready. It hears so before the client: a guard that was killed between the two would
/// be logged as one that failed, and its client would have heard that it is ready. A master that has ended meanwhile knows
/// nothing of this sandbox, so there is to be none.
///
/// With it goes the guard's pidfd, if the guard is not the process that the master has cloned: by that the master knows it.
/// Then what the master is to clear.
pub(crate) fn tell_master(plan: &Plan<'_>, doors: &Doors<'_>, seat: Option<&Seat>) -> Step {
    let mut fds = Numbers::default();
    if plan.is_owned() && doors.entrance().has_pidfd() {
        fds.add(doors.fds().first());
    }
    if let Some(seat) = seat {
        let spent = seat.spent.as_slice();
        fds.add(spent);
        // Last, and only if there is something to clear: while the master has it, the seat is nobody else's, even if this
        // process has ended.
        fds.add(spent.first().map(|_| seat.lock()));
    }
    let report = Report::reached(Stage::READY).encode();
    socket::send(plan.master, &report, fds.as_slice()).at(Stage::VANISHED)
}

/// Tells client and master what failed. Whoever of them is gone does not need to know.
pub(crate) fn report(plan: &Plan<'_>, failure: Failure) {
    socket::send(plan.master, &Report(failure).encode(), &[]).unwrap_or_default();
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

/// Asks the master for the id maps, or says that all is mounted.
///
/// With it goes the slot of the cache that is used from now on, and the file of a package that was put there; after it, the
/// package that was found to be signed.
pub(crate) fn tell_of_package(plan: &Plan<'_>, stage: Stage, mounted: Mounted) -> Step {
    let Mounted { cached, verified } = mounted;
    let slot = cached.as_ref().map_or(NO_INDEX, |it| it.slot.into());
    let report = Report(Failure::indexed(stage, 0, slot)).encode();
    let mut bytes = [0; Report::SIZE + PackageId::SIZE];
    let told = verified.as_ref().map_or(&[][..], PackageId::as_bytes);
    for (slot, byte) in bytes.iter_mut().zip(report.iter().chain(told)) {
        *slot = *byte;
    }
    let len = Report::SIZE.saturating_add(told.len());
    let bytes = bytes.get(..len).unwrap_or_default();
    let sent = match cached.and_then(|it| it.new) {
        Some(file) => socket::send(plan.master, bytes, &[file.raw()]),
        None => socket::send(plan.master, bytes, &[]),
    };
    sent.at(Stage::ID_MAPS)
}

/// Waits for the master's word that the id maps are written.
pub(crate) fn wait_for_maps(plan: &Plan<'_>) -> Step {
    let mut bytes = [0; Report::SIZE];
    let mut receive = || socket::receive(plan.master, &mut bytes, socket::DONT_WAIT);
    let mut received = receive();
    if let Err(Errno::EAGAIN) = received {
        let deadline = time::monotonic_ms().saturating_add(MAPS_TIMEOUT_MS);
        time::wait_readable(plan.master, deadline).at(Stage::ID_MAPS)?;
        received = receive();
    }
    let received = received.at(Stage::ID_MAPS)?;
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
