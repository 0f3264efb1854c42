//! Asking the master, and what it answers.

use crate::Launched;
use crate::held::{self, Held};
use core::ffi::CStr;
use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{At, Entrance, Failure, Packet, Reply, Request, Stage};
use rocker_sys::raw::general::CAP_SYS_PTRACE;
use rocker_sys::socket::{self, Address};
use rocker_sys::{Errno, RawFd, credentials, time};

/// How long a launch may take, in milliseconds. The slowest part is the first read of a package from cold flash; a master
/// that takes longer than this is gone.
pub(crate) const TIMEOUT_MS: u64 = 10_000;

/// How long to wait for a place in the master's backlog, in seconds.
const CONNECT_TIMEOUT_S: u32 = 5;

/// A sandbox that is being built, or ready, and empty. If the connection closes before anybody has joined, its guard ends.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) connection: Held,
    entrance: Entrance,
    /// What the entrance says came with the reply. What a descriptor is worth setns decides: it refuses one of another
    /// kind.
    fds: [Option<Held>; Entrance::FDS_MAX],
    /// Whose connection it is, and has to hear of whoever enters; 0 if it is the master's.
    pub(crate) guard_pid: i32,
    guard_name: [u8; NAME_SIZE],
    /// Until when the launch may take, in terms of `monotonic_ms`.
    pub(crate) deadline_ms: u64,
}

/// Asks for a sandbox and waits until it has a guard, or the deadline of `monotonic_ms` has passed.
pub(crate) fn ask_for(
    socket_path: &CStr,
    request: &Request<'_>,
    deadline_ms: u64,
) -> Result<Ready, Failure> {
    // Not copied about.
    let mut packet = Packet::new();
    if request.encode_into(&mut packet).is_none() {
        return Err(Failure::of(Stage::REQUEST_SIZE, Errno::E2BIG));
    }
    if credentials::has_capability(CAP_SYS_PTRACE) {
        Request::set_may_trace(&mut packet);
    }
    ask(socket_path, &packet, deadline_ms)
}

/// Asks this and waits until there is a way into a sandbox.
pub(crate) fn ask(socket_path: &CStr, packet: &[u8], deadline_ms: u64) -> Result<Ready, Failure> {
    let (connection, sent) = tell(socket_path, packet, deadline_ms)?;
    let mut ready = Ready {
        // A master that refuses to talk has said so before it closed: that answer is worth more than our EPIPE. It is there
        // or it never comes, since the master has no request to answer.
        deadline_ms: if sent.is_ok() { deadline_ms } else { 0 },
        connection,
        entrance: Entrance::by_pidfd(0),
        fds: [const { None }; Entrance::FDS_MAX],
        guard_pid: 0,
        guard_name: [0; NAME_SIZE],
    };
    match (hear(&mut ready), sent) {
        (
            Err(Failure {
                stage: Stage::ANSWER,
                ..
            }),
            Err(errno),
        ) => Err(Failure::of(Stage::SEND, errno)),
        (heard, _) => heard.map(|()| ready),
    }
}

/// Sends this to the master; says whether that was possible.
pub(crate) fn tell(
    socket_path: &CStr,
    packet: &[u8],
    deadline_ms: u64,
) -> Result<(Held, Result<(), Errno>), Failure> {
    // By reference: it is not copied about.
    let address = Address::new(socket_path);
    let address = match &address {
        Ok(address) => address,
        Err(errno) => return Err(Failure::of(Stage::SOCKET_PATH, *errno)),
    };
    let connection = connect(address, deadline_ms)?;
    let sent = socket::send(connection.raw(), packet, &[]);
    Ok((connection, sent))
}

/// A connection to a master that may be believed.
fn connect(address: &Address, deadline_ms: u64) -> Result<Held, Failure> {
    let connection = held::hold(socket::new).at(Stage::SOCKET)?;
    socket::set_send_timeout(connection.raw(), CONNECT_TIMEOUT_S).at(Stage::SOCKET)?;
    loop {
        match socket::connect(connection.raw(), address) {
            // Each attempt has the whole timeout again, so a host with a fast timer would try for ever.
            Err(Errno::EINTR) if time::monotonic_ms() >= deadline_ms => {
                return Err(Failure::of(Stage::CONNECT, Errno::ETIMEDOUT));
            }
            Err(Errno::EINTR) => {}
            result => break result.at(Stage::CONNECT)?,
        }
    }
    // A socket in the file system may have been put there by somebody else. The kernel knows who listens.
    let master = socket::peer_credentials(connection.raw()).at(Stage::MASTER)?;
    if master.uid != 0 && master.uid != credentials::effective_uid() {
        return Err(Failure::of(Stage::MASTER, Errno::EPERM));
    }
    // After connect: before, it would give this socket an abstract address of its own (unix(7)).
    socket::pass_credentials(connection.raw()).at(Stage::SOCKET)?;
    Ok(connection)
}

/// One reply. The first says who the guard is, and how to get in.
#[inline(never)] // smaller by itself
fn hear(ready: &mut Ready) -> Result<(), Failure> {
    let silent = |errno| Failure::of(Stage::ANSWER, errno);
    let connection = ready.connection.raw();
    time::wait_readable(connection, ready.deadline_ms).map_err(&silent)?;
    let mut bytes = [0; Reply::SIZE];
    let mut receive = || held::receive(connection, &mut bytes, &mut ready.fds);
    let received = match receive() {
        // The master refused before it had read the request: the kernel says so, once, ahead of the answer.
        Err(Errno::ECONNRESET) => receive(),
        result => result,
    };
    let came = received.map_err(|errno| match errno {
        Errno::EMSGSIZE => Failure::of(Stage::REPLY, errno),
        _ => silent(errno),
    })?;
    if came.len == 0 {
        return Err(silent(Errno::ECONNRESET));
    }
    let malformed = Failure::of(Stage::REPLY, Errno::EPROTO);
    // A longer one does not come here.
    if came.len < bytes.len() {
        return Err(malformed);
    }
    let welcome = Reply::decode(&bytes).ok_or(malformed)?.outcome?;
    ready.entrance = welcome.entrance;
    ready.guard_name = welcome.name;
    // The kernel says who sent it: that is the guard, and this is its process id as the caller sees it.
    ready.guard_pid = came.sender;
    // They fill the array from its start. Should a later one be missing, setns says so.
    let [first, ..] = &ready.fds;
    if ready.guard_pid <= 0 || first.is_none() {
        return Err(malformed);
    }
    Ok(())
}

impl Ready {
    /// Hears the guard's last word, which is there when a child has joined. If none has, the word may say why not: the child
    /// itself cannot, since the kernel kills it with the guard.
    ///
    /// It is heard in any case: who closes a connection on which something is left gives the guard an error, which comes
    /// before what the child has sent (`unix(7)`).
    pub(crate) fn settle(&mut self, joined: Result<(), Failure>) -> Result<(), Failure> {
        let told = hear(self);
        joined.map_err(|failure| match told {
            Err(told) if !says_nothing(&told) => told,
            _ => failure,
        })
    }

    /// The namespace of the calling thread's next child, for setns.
    pub(crate) fn pid_namespace(&self) -> RawFd {
        let [first, second, ..] = &self.fds;
        let pidfd_comes_first = self.entrance.is_one_by_one() && self.entrance.has_pidfd();
        number_of(if pidfd_comes_first { second } else { first })
    }

    /// The user namespace, if they came one by one.
    pub(crate) fn user_namespace(&self) -> RawFd {
        let mut user = -1;
        for (door, _) in self.doors() {
            user = number_of(door);
        }
        user
    }

    /// What a child enters, in this order, each with what it is entered for. A pidfd is entered for all at once, which the
    /// kernel does in its own good order.
    pub(crate) fn doors(&self) -> impl Iterator<Item = (&Option<Held>, u32)> {
        let others = if self.entrance.is_one_by_one() {
            usize::from(self.entrance.has_pidfd()).saturating_add(1)
        } else {
            0
        };
        let doors = self.fds.get(others..).unwrap_or_default();
        doors.iter().zip(self.entrance.doors())
    }

    /// The App is in. This is what is left for the caller; what was needed to get it there may be closed.
    pub(crate) fn launched(&mut self, app_pid: i32, app_pidfd: Option<Held>) -> Launched {
        let [first, ..] = &mut self.fds;
        let guard_pidfd = if self.entrance.has_pidfd() {
            first.take()
        } else {
            None
        };
        Launched {
            app_pid,
            app_pidfd,
            guard_pid: self.guard_pid,
            guard_name: self.guard_name,
            guard_pidfd,
        }
    }
}

/// There was no word, or one that is longer than a reply: READY with a filter.
fn says_nothing(told: &Failure) -> bool {
    const ETIMEDOUT: i32 = Errno::ETIMEDOUT.raw();
    const EMSGSIZE: i32 = Errno::EMSGSIZE.raw();
    matches!(
        (told.stage, told.errno),
        (Stage::ANSWER, ETIMEDOUT) | (Stage::REPLY, EMSGSIZE)
    )
}

/// There is one wherever it is used, as was seen when it came.
pub(crate) fn number_of(door: &Option<Held>) -> RawFd {
    door.as_ref().map_or(-1, Held::raw)
}
