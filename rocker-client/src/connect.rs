//! Asking the master, and what it answers.

use crate::held::{self, Held};
use crate::{Launched, at};
use core::ffi::CStr;
use rocker_proto::limits::NAME_SIZE;
use rocker_proto::reply::NAMESPACES;
use rocker_proto::{Failure, Reply, Request, Stage};
use rocker_sys::socket::{self, Address, Credentials};
use rocker_sys::{Errno, credentials, time};

/// How long a launch may take, in milliseconds. The slowest part is the first read of a package from cold flash; a master
/// that takes longer than this is gone.
pub(crate) const TIMEOUT_MS: u64 = 10_000;

/// How long to wait for a place in the master's backlog, in seconds.
const CONNECT_TIMEOUT_S: u32 = 5;

/// A sandbox that is ready and empty. If the connection closes before anybody has joined, its guard ends.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) connection: Held,
    pub(crate) namespaces: Namespaces,
    pub(crate) guard_pid: i32,
    pub(crate) guard_name: [u8; NAME_SIZE],
    pub(crate) guard_pidfd: Option<Held>,
}

/// The sandbox's namespaces. What a descriptor is worth setns decides: it refuses one of another kind.
#[derive(Debug)]
pub(crate) struct Namespaces {
    pub(crate) mnt: Held,
    pub(crate) pid: Held,
    pub(crate) ipc: Held,
    pub(crate) uts: Held,
    pub(crate) user: Held,
}

/// Asks for a sandbox and waits until it is ready, or the deadline of `monotonic_ms` has passed.
pub(crate) fn ask(
    socket_path: &CStr,
    request: &Request<'_>,
    deadline_ms: u64,
) -> Result<Ready, Failure> {
    let address = Address::new(socket_path).map_err(at(Stage::SOCKET_PATH))?;
    // Not by way of `ok_or`, which would copy the 4 KiB.
    let Some(packet) = request.encode() else {
        return Err(at(Stage::REQUEST_SIZE)(Errno::E2BIG));
    };
    let connection = connect(&address, deadline_ms)?;
    let sent = socket::send(connection.raw(), &packet, &[]);
    // A master that refuses to talk has said so before it closed: that answer is worth more than our EPIPE. It is there or
    // it never comes, since the master has no request to answer.
    let deadline_ms = if sent.is_ok() { deadline_ms } else { 0 };
    let received =
        receive(&connection, deadline_ms).and_then(|answer| read_reply(connection, answer));
    match (sent, received) {
        (
            Err(errno),
            Err(Failure {
                stage: Stage::ANSWER,
                ..
            }),
        ) => Err(at(Stage::SEND)(errno)),
        (_, received) => received,
    }
}

fn connect(address: &Address, deadline_ms: u64) -> Result<Held, Failure> {
    let connection = held::section(|section| socket::new().map(|fd| section.hold(fd)));
    let connection = connection.map_err(at(Stage::SOCKET))?;
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

/// A packet, and what came with it.
struct Answer {
    bytes: [u8; Reply::SIZE],
    len: usize,
    sender: Option<Credentials>,
    fds: [Option<Held>; NAMESPACES + 1],
}

fn receive(connection: &Held, deadline_ms: u64) -> Result<Answer, Failure> {
    time::wait_readable(connection.raw(), deadline_ms).map_err(at(Stage::ANSWER))?;
    let mut bytes = [0; Reply::SIZE];
    let received = held::section(|section| {
        let mut receive = || socket::receive(connection.raw(), &mut bytes, socket::DONT_WAIT);
        let mut received = match receive() {
            // The master refused before it had read the request: the kernel says so, once, ahead of the answer.
            Err(Errno::ECONNRESET) => receive()?,
            result => result?,
        };
        let mut fds = [const { None }; NAMESPACES + 1];
        for (slot, fd) in fds.iter_mut().zip(&mut received.fds) {
            *slot = Some(section.hold(fd));
        }
        Ok((received.len, received.sender, fds))
    });
    match received {
        Ok((len, sender, fds)) if len > 0 => Ok(Answer {
            bytes,
            len,
            sender,
            fds,
        }),
        Ok(_) => Err(at(Stage::ANSWER)(Errno::ECONNRESET)),
        Err(Errno::EMSGSIZE) => Err(at(Stage::REPLY)(Errno::EMSGSIZE)),
        Err(errno) => Err(at(Stage::ANSWER)(errno)),
    }
}

fn read_reply(connection: Held, answer: Answer) -> Result<Ready, Failure> {
    let malformed = || at(Stage::REPLY)(Errno::EPROTO);
    let reply =
        Reply::decode(answer.bytes.get(..answer.len).unwrap_or_default()).ok_or_else(malformed)?;
    let guard_name = reply.outcome?;
    // The kernel says who sent it: that is the guard, and this is its process id as the caller sees it.
    let guard_pid = answer
        .sender
        .map(|sender| sender.pid)
        .filter(|pid| *pid > 0)
        .ok_or_else(malformed)?;
    let [
        Some(mnt),
        Some(pid),
        Some(ipc),
        Some(uts),
        Some(user),
        guard_pidfd,
    ] = answer.fds
    else {
        return Err(malformed());
    };
    let namespaces = Namespaces {
        mnt,
        pid,
        ipc,
        uts,
        user,
    };
    Ok(Ready {
        connection,
        namespaces,
        guard_pid,
        guard_name,
        guard_pidfd,
    })
}

impl Ready {
    /// The App is in. What was needed to get it there is closed, and what is left is the caller's.
    pub(crate) fn launched(self, app_pid: i32, app_pidfd: Option<Held>) -> Launched {
        Launched {
            app_pid,
            app_pidfd,
            guard_pid: self.guard_pid,
            guard_name: self.guard_name,
            guard_pidfd: self.guard_pidfd,
        }
    }
}
