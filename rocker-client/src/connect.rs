//! Asking the master, and what it answers.

use crate::held::{self, Held};
use crate::{Launched, at};
use core::ffi::CStr;
use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{Entrance, Failure, Packet, Reply, Request, Stage};
use rocker_sys::namespace::{CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWUTS};
use rocker_sys::raw::general::CAP_SYS_PTRACE;
use rocker_sys::socket::{self, Address};
use rocker_sys::{Errno, RawFd, credentials, time};

/// How long a launch may take, in milliseconds. The slowest part is the first read of a package from cold flash; a master
/// that takes longer than this is gone.
pub(crate) const TIMEOUT_MS: u64 = 10_000;

/// How long to wait for a place in the master's backlog, in seconds.
const CONNECT_TIMEOUT_S: u32 = 5;

/// A sandbox that is ready and empty. If the connection closes before anybody has joined, its guard ends.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) connection: Held,
    entrance: Entrance,
    /// What the entrance says came with the reply. What a descriptor is worth setns decides: it refuses one of another
    /// kind.
    fds: [Option<Held>; Entrance::FDS_MAX],
    guard_pid: i32,
    guard_name: [u8; NAME_SIZE],
}

/// Asks for a sandbox and waits until it is ready, or the deadline of `monotonic_ms` has passed.
pub(crate) fn ask(
    socket_path: &CStr,
    request: &Request<'_>,
    deadline_ms: u64,
) -> Result<Ready, Failure> {
    // By reference, as the packet below: neither is copied about.
    let address = Address::new(socket_path);
    let address = match &address {
        Ok(address) => address,
        Err(errno) => return Err(at(Stage::SOCKET_PATH)(*errno)),
    };
    let mut packet = Packet::new();
    if request.encode_into(&mut packet).is_none() {
        return Err(at(Stage::REQUEST_SIZE)(Errno::E2BIG));
    }
    if credentials::has_capability(CAP_SYS_PTRACE) {
        Request::set_may_trace(&mut packet);
    }
    let connection = connect(address, deadline_ms)?;
    let sent = socket::send(connection.raw(), &packet, &[]);
    // A master that refuses to talk has said so before it closed: that answer is worth more than our EPIPE. It is there or
    // it never comes, since the master has no request to answer.
    let deadline_ms = if sent.is_ok() { deadline_ms } else { 0 };
    receive(connection, deadline_ms).map_err(|failure| match sent {
        Err(errno) if failure.stage == Stage::ANSWER => at(Stage::SEND)(errno),
        _ => failure,
    })
}

/// A connection to a master that may be believed.
pub(crate) fn connect(address: &Address, deadline_ms: u64) -> Result<Held, Failure> {
    let connection = held::hold(socket::new).map_err(at(Stage::SOCKET))?;
    socket::set_send_timeout(connection.raw(), CONNECT_TIMEOUT_S).map_err(at(Stage::SOCKET))?;
    loop {
        match socket::connect(connection.raw(), address) {
            // Each attempt has the whole timeout again, so a host with a fast timer would try for ever.
            Err(Errno::EINTR) if time::monotonic_ms() >= deadline_ms => {
                return Err(at(Stage::CONNECT)(Errno::ETIMEDOUT));
            }
            Err(Errno::EINTR) => {}
            result => break result.map_err(at(Stage::CONNECT))?,
        }
    }
    // A socket in the file system may have been put there by somebody else. The kernel knows who listens.
    let master = socket::peer_credentials(connection.raw()).map_err(at(Stage::MASTER))?;
    if master.uid != 0 && master.uid != credentials::effective_uid() {
        return Err(at(Stage::MASTER)(Errno::EPERM));
    }
    // After connect: before, it would give this socket an abstract address of its own (unix(7)).
    socket::pass_credentials(connection.raw()).map_err(at(Stage::SOCKET))?;
    Ok(connection)
}

fn receive(connection: Held, deadline_ms: u64) -> Result<Ready, Failure> {
    time::wait_readable(connection.raw(), deadline_ms).map_err(at(Stage::ANSWER))?;
    let mut bytes = [0; Reply::SIZE];
    let mut ready = Ready {
        connection,
        entrance: Entrance::Pidfd,
        fds: [const { None }; Entrance::FDS_MAX],
        guard_pid: 0,
        guard_name: [0; NAME_SIZE],
    };
    let connection = ready.connection.raw();
    let mut receive = || held::receive(connection, &mut bytes, &mut ready.fds);
    let received = match receive() {
        // The master refused before it had read the request: the kernel says so, once, ahead of the answer.
        Err(Errno::ECONNRESET) => receive(),
        result => result,
    };
    let came = received.map_err(|errno| match errno {
        Errno::EMSGSIZE => at(Stage::REPLY)(errno),
        _ => at(Stage::ANSWER)(errno),
    })?;
    if came.len == 0 {
        return Err(at(Stage::ANSWER)(Errno::ECONNRESET));
    }
    let malformed = at(Stage::REPLY)(Errno::EPROTO);
    // A longer one does not come here.
    if came.len < bytes.len() {
        return Err(malformed);
    }
    let welcome = Reply::decode(&bytes).ok_or(malformed)?.outcome?;
    ready.entrance = welcome.entrance;
    ready.guard_name = welcome.name;
    // The kernel says who sent it: that is the guard, and this is its process id as the caller sees it.
    ready.guard_pid = came.sender;
    // They fill the array from its start.
    let [first, .., user, _] = &ready.fds;
    let last = match ready.entrance {
        Entrance::Namespaces => user,
        Entrance::Pidfd => first,
    };
    if ready.guard_pid <= 0 || last.is_none() {
        return Err(malformed);
    }
    Ok(ready)
}

impl Ready {
    /// The namespace of the calling thread's next child, for setns.
    pub(crate) fn pid_namespace(&self) -> RawFd {
        let [first, ..] = &self.fds;
        number_of(first)
    }

    /// What the child itself enters, in this order, each with what it is entered for. The user namespace comes last: with it
    /// go the privileges over the others. A pidfd is entered for all at once, which the kernel does in its own good order.
    pub(crate) fn doors(&self) -> impl Iterator<Item = (&Option<Held>, &u32)> {
        let [_, others @ ..] = &self.fds;
        let (doors, kinds): (&[_], &[u32]) = match self.entrance {
            Entrance::Namespaces => (
                others,
                &[CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNS, CLONE_NEWUSER],
            ),
            Entrance::Pidfd => (
                &self.fds,
                &[CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWUSER],
            ),
        };
        doors.iter().zip(kinds)
    }

    /// The App is in. This is what is left for the caller; what was needed to get it there may be closed.
    pub(crate) fn launched(&mut self, app_pid: i32, app_pidfd: Option<Held>) -> Launched {
        let [first, .., last] = &mut self.fds;
        let guard_pidfd = match self.entrance {
            Entrance::Namespaces => last,
            Entrance::Pidfd => first,
        };
        Launched {
            app_pid,
            app_pidfd,
            guard_pid: self.guard_pid,
            guard_name: self.guard_name,
            guard_pidfd: guard_pidfd.take(),
        }
    }
}

/// There is one wherever it is used, as was seen when it came.
pub(crate) fn number_of(door: &Option<Held>) -> RawFd {
    door.as_ref().map_or(-1, Held::raw)
}
