//! PID 1 of a sandbox: reap orphans, and know when it is over.
//!
//! An App that entered with setns is not the guard's child: `waitid` says `ECHILD` while it runs. What it orphans is. So the
//! sandbox is over when the pidfd of every process that joined has fired *and* `waitid` says `ECHILD`. Both are events:
//! nothing here ticks, but on kernels without pidfds (before 5.3), where PID 1 looks whether it is alone, if it is built for
//! them (`OLD_KERNELS`).

use crate::alone::is_alone;
use rocker_proto::Joined;
use rocker_sys::epoll::{Epoll, Events, FOREVER};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::WNOHANG;
use rocker_sys::signal::{self, SIGCHLD, SigSet};
use rocker_sys::{Errno, Fd, OLD_KERNELS, RawFd, Result, socket, time};

/// How long a client that has its descriptors may take to send somebody in, in milliseconds: as long as it waits itself.
const JOIN_TIMEOUT_MS: u64 = 10_000;

/// How often to look where no pidfd tells, in milliseconds.
const TICK_MS: i32 = 200;

/// Epoll tokens; a pidfd's token is its number, which is below 1 << 31.
const CLIENT: u64 = 1 << 32;
const CHILDREN: u64 = 2 << 32;

/// Waits until the client has something to say, or has left.
///
/// # Errors
/// `ETIMEDOUT`: it has not sent anybody in, so there is nobody to guard.
pub(crate) fn wait_for_client(client: RawFd) -> Result<()> {
    time::wait_readable(client, time::monotonic_ms().saturating_add(JOIN_TIMEOUT_MS))
}

/// Stays until the sandbox is over, and ends with it.
///
/// # Safety
/// `client` is the number of the connection's descriptor, which nobody else owns.
#[allow(unsafe_code)]
pub(crate) unsafe extern "C" fn stay(client: usize) -> ! {
    // SAFETY: the caller's promise. It is the number of a descriptor, so it fits.
    let client = unsafe { Fd::from_raw(client as RawFd) };
    guard(client, false)
}

/// The same for a sandbox that is tied: it is also over when the client has left, however that came. A command that stands
/// for its App may be killed.
///
/// # Safety
/// As [`stay`].
#[allow(unsafe_code)]
pub(crate) unsafe extern "C" fn stay_with_client(client: usize) -> ! {
    // SAFETY: as in `stay`.
    let client = unsafe { Fd::from_raw(client as RawFd) };
    guard(client, true)
}

fn guard(client: Fd, tied: bool) -> ! {
    Pid1::new(client, tied).guard()
}

/// Without this nothing else could be waited for: ending is the one safe thing, and takes the sandbox along.
fn must<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(_) => process::exit(1),
    }
}

struct Pid1 {
    epoll: Epoll,
    children: Fd,
    client: Option<Fd>,
    /// Is it over when the client has left?
    tied: bool,
    /// Pidfds of processes that joined and have not ended.
    alive: u32,
    /// Has anybody joined yet?
    joined: bool,
    /// Has somebody joined who has no pidfd?
    must_look: bool,
}

impl Pid1 {
    fn new(client: Fd, tied: bool) -> Self {
        let epoll = must(Epoll::new());
        let children = must(signal::signalfd(&SigSet::empty().with(SIGCHLD)));
        must(epoll.watch(client.raw(), CLIENT));
        must(epoll.watch(children.raw(), CHILDREN));
        Self {
            epoll,
            children,
            client: Some(client),
            tied,
            alive: 0,
            joined: false,
            must_look: false,
        }
    }

    fn guard(mut self) -> ! {
        let deadline = time::monotonic_ms().saturating_add(JOIN_TIMEOUT_MS);
        let mut events = Events::<8>::new();
        loop {
            if self.is_over(deadline) {
                process::exit(0);
            }
            let timeout = self.timeout(deadline);
            must(self.epoll.wait(&mut events, timeout));
            for token in events.tokens() {
                match token {
                    CLIENT => self.hear_client(),
                    // Only empties it: `is_over` reaps.
                    CHILDREN => while must(signal::read_signal(self.children.raw())).is_some() {},
                    pidfd => self.someone_ended(pidfd),
                }
            }
        }
    }

    fn timeout(&self, deadline: u64) -> i32 {
        if OLD_KERNELS && self.must_look {
            TICK_MS
        } else if self.joined {
            FOREVER
        } else {
            let left = deadline.saturating_sub(time::monotonic_ms());
            // At most the timeout itself, so it fits.
            left.min(JOIN_TIMEOUT_MS) as i32
        }
    }

    fn is_over(&self, deadline: u64) -> bool {
        let is_left = self.client.is_none();
        if self.tied && is_left {
            return true;
        }
        if !self.joined {
            return is_left || time::monotonic_ms() >= deadline;
        }
        let childless = reap();
        if self.alive > 0 || !childless {
            return false;
        }
        if !OLD_KERNELS || !self.must_look {
            // A client that sends no pidfd where there are some is mistaken: whom it meant ends with those that are known.
            return true;
        }
        // Again: whoever ended while we looked has left its children to this process.
        is_alone() && reap()
    }

    /// One message of the client, or its end.
    #[inline(never)] // smaller by itself
    fn hear_client(&mut self) {
        let Some(client) = &self.client else {
            return;
        };
        let mut bytes = [0; 32];
        let mut received = match socket::receive(client.raw(), &mut bytes, socket::DONT_WAIT) {
            Ok(received) if received.len > 0 => received,
            Err(Errno::EAGAIN) => return,
            // Its end, or no packet of ours: it has said what it had to say.
            _ => {
                must(self.epoll.forget(client.raw()));
                self.client = None;
                return;
            }
        };
        if Joined::decode(bytes.get(..received.len).unwrap_or_default()).is_some() {
            let pidfd = received.fds.next();
            self.somebody_joined(pidfd);
        }
    }

    fn somebody_joined(&mut self, pidfd: Option<Fd>) {
        self.joined = true;
        let watched = pidfd.filter(is_pidfd_of_ours).and_then(|pidfd| {
            let token = u64::from(pidfd.raw().unsigned_abs());
            self.epoll
                .watch(pidfd.raw(), token)
                .is_ok()
                .then_some(pidfd)
        });
        match watched {
            Some(pidfd) => {
                // Owned by the token from here on; `someone_ended` closes it.
                pidfd.into_raw();
                self.alive = self.alive.saturating_add(1);
            }
            None => self.must_look = true,
        }
    }

    #[allow(unsafe_code)]
    fn someone_ended(&mut self, token: u64) {
        // The token is the number of a descriptor, so it fits.
        let pidfd = token as RawFd;
        // By hand: the client may hold the same open file, which would keep the watch alive (Q6 of epoll(7)).
        self.epoll.forget(pidfd).unwrap_or_default();
        // SAFETY: `somebody_joined` left this descriptor to its token, whose watch has just ended: it comes here once.
        drop(unsafe { Fd::from_raw(pidfd) });
        self.alive = self.alive.saturating_sub(1);
    }
}

/// Is it a pidfd at all (else `EBADF`), of a process that this pid namespace can see (else `EINVAL`)? Anything else might
/// never become readable, and keep the sandbox for ever. The client may be mistaken: then we look for ourselves.
fn is_pidfd_of_ours(fd: &Fd) -> bool {
    matches!(
        process::pidfd_send_signal(fd.raw(), 0),
        Ok(()) | Err(Errno::EPERM | Errno::ESRCH)
    )
}

/// Takes every child that has ended off the table. Signals coalesce, so one SIGCHLD may stand for many. Says whether no
/// child is left.
fn reap() -> bool {
    loop {
        match process::wait(Which::Any, WNOHANG) {
            Ok(Some(_)) | Err(Errno::EINTR) => {}
            Ok(None) => return false,
            Err(Errno::ECHILD) => return true,
            Err(_) => process::exit(1),
        }
    }
}
