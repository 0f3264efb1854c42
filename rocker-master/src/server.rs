//! `Server`: the one loop, from an event to who handles it.

use crate::launch::{self, Heard, Launcher};
use crate::listener::Listener;
use crate::name::Names;
use crate::peer;
use crate::registry::{Guard, Key, Registry, State};
use rocker_proto::{Failure, Stage};
use rocker_sys::epoll::{Epoll, Events, FOREVER};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::{O_RDONLY, WNOHANG};
use rocker_sys::signal::{self, SIGCHLD, SigSet};
use rocker_sys::socket::{self, Credentials};
use rocker_sys::{Errno, Fd, Result, fs, time};

/// How long a client may be connected without asking, in milliseconds. An honest one asks at once.
const ASK_TIMEOUT_MS: u64 = 5_000;

/// What an event is about; the low half of its token is a slot's key.
mod token {
    pub(super) const LISTENER: u64 = 1 << 32;
    pub(super) const SIGNALS: u64 = 2 << 32;
    pub(super) const CLIENT: u64 = 3 << 32;
    pub(super) const CHANNEL: u64 = 4 << 32;
    pub(super) const GUARD: u64 = 5 << 32;
}

/// The master's state.
pub(crate) struct Server<'a> {
    epoll: Epoll,
    listener: Listener<'a>,
    signals: Fd,
    registry: Registry,
    names: Names,
    /// The earliest deadline of a client that has not asked yet.
    next_deadline_ms: Option<u64>,
    /// Given up for a moment when descriptors run out, so that a client can be told.
    reserve: Option<Fd>,
}

impl<'a> Server<'a> {
    /// Gets ready; `ends` are the signals that end it.
    pub(crate) fn new(listener: Listener<'a>, ends: &[u32]) -> Result<Self> {
        let mask = ends
            .iter()
            .fold(SigSet::empty().with(SIGCHLD), |set, signal| {
                set.with(*signal)
            });
        signal::set_mask(&mask)?;
        let epoll = Epoll::new()?;
        let signals = signal::signalfd(&mask)?;
        epoll.watch(listener.socket.raw(), token::LISTENER)?;
        epoll.watch(signals.raw(), token::SIGNALS)?;
        let names = Names::new(time::monotonic_ms());
        let reserve = fs::open(c"/dev/null", O_RDONLY).ok();
        Ok(Self {
            epoll,
            listener,
            signals,
            registry: Registry::new(),
            names,
            next_deadline_ms: None,
            reserve,
        })
    }

    /// Serves until a signal ends it.
    pub(crate) fn run(&mut self) -> Result<()> {
        let mut events = Events::<16>::new();
        loop {
            self.epoll.wait(&mut events, self.timeout())?;
            for event in events.tokens() {
                let key = Key::from_bits((event & u64::from(u32::MAX)) as u32);
                match event & !u64::from(u32::MAX) {
                    token::LISTENER => self.accept_all(),
                    token::CLIENT => self.client_spoke(key),
                    token::CHANNEL => self.guard_spoke(key),
                    token::GUARD => self.guard_ended(key),
                    _ => {
                        if self.signalled()? {
                            self.listener.remove();
                            return Ok(());
                        }
                    }
                }
            }
            self.drop_silent_clients();
        }
    }

    fn timeout(&self) -> i32 {
        let left = |deadline: u64| {
            deadline
                .saturating_sub(time::monotonic_ms())
                .min(ASK_TIMEOUT_MS) as i32
        };
        self.next_deadline_ms.map_or(FOREVER, left)
    }

    fn accept_all(&mut self) {
        loop {
            match socket::accept(self.listener.socket.raw()) {
                Ok(client) => self.accept(client),
                Err(Errno::EMFILE | Errno::ENFILE) => return self.accept_to_refuse(),
                // EAGAIN: that was the last one. Anything else is that client's own trouble.
                Err(_) => return,
            }
        }
    }

    fn accept(&mut self, client: Fd) {
        let nobody = Credentials {
            pid: 0,
            uid: u32::MAX,
            gid: u32::MAX,
        };
        let peer = socket::peer_credentials(client.raw()).unwrap_or(nobody);
        if !peer::may_launch(&peer) {
            return launch::refuse(
                &client,
                &peer,
                0,
                &Failure::new(Stage::PEER, Errno::EPERM.raw()),
                None,
            );
        }
        if !self.registry.has_room() {
            return launch::refuse(
                &client,
                &peer,
                0,
                &Failure::new(Stage::LIMIT, Errno::EUSERS.raw()),
                None,
            );
        }
        let deadline_ms = time::monotonic_ms().saturating_add(ASK_TIMEOUT_MS);
        let fd = client.raw();
        let Some(key) = self.registry.insert(State::Asking {
            client,
            peer,
            deadline_ms,
        }) else {
            return;
        };
        if self
            .epoll
            .watch(fd, token::CLIENT | u64::from(key.to_bits()))
            .is_err()
        {
            self.registry.remove(key);
            return;
        }
        self.next_deadline_ms = Some(
            self.next_deadline_ms
                .map_or(deadline_ms, |next| next.min(deadline_ms)),
        );
        // Most requests are there already: saves a round through epoll.
        self.client_spoke(key);
    }

    /// No descriptor is left: without this, the listener would stay readable and the loop would spin.
    fn accept_to_refuse(&mut self) {
        self.reserve = None;
        if let Ok(client) = socket::accept(self.listener.socket.raw()) {
            let nobody = Credentials {
                pid: 0,
                uid: u32::MAX,
                gid: u32::MAX,
            };
            let peer = socket::peer_credentials(client.raw()).unwrap_or(nobody);
            launch::refuse(
                &client,
                &peer,
                0,
                &Failure::new(Stage::LIMIT, Errno::EMFILE.raw()),
                None,
            );
        }
        self.reserve = fs::open(c"/dev/null", O_RDONLY).ok();
    }

    fn client_spoke(&mut self, key: Key) {
        let Some(State::Asking { client, peer, .. }) = self.registry.get_mut(key) else {
            return;
        };
        let heard = launch::hear_request(client, *peer);
        if matches!(heard, Ok(None)) {
            return;
        }
        let Some(State::Asking { client, peer, .. }) = self.registry.remove(key) else {
            return;
        };
        // By hand: the guard will hold the same open file, which would keep the watch alive (Q6 of epoll(7)).
        self.epoll.forget(client.raw()).unwrap_or_default();
        match heard {
            Ok(Some(packet)) => {
                let mut launcher = Launcher {
                    names: &mut self.names,
                    mask: self.listener.mask(),
                };
                if let Some(state) = launch::launch(&mut launcher, client, packet) {
                    self.watch_guard(state);
                }
            }
            Ok(None) => {}
            Err(failure) => launch::refuse(&client, &peer, 0, &failure, None),
        }
    }

    fn watch_guard(&mut self, state: State) {
        // The slot that the client had is free, so there is room.
        let Some(key) = self.registry.insert(state) else {
            return;
        };
        let Some(State::Building { guard, channel, .. }) = self.registry.get_mut(key) else {
            return;
        };
        let bits = u64::from(key.to_bits());
        let mut watched = self.epoll.watch(channel.raw(), token::CHANNEL | bits);
        if let (Ok(()), Some(pidfd)) = (watched, &guard.pidfd) {
            watched = self.epoll.watch(pidfd.raw(), token::GUARD | bits);
        }
        if watched.is_err() {
            // A guard that cannot be heard cannot be served: closing the channel ends it, and SIGCHLD or nobody reaps it.
            process::kill(guard.pid, signal::SIGKILL).unwrap_or_default();
            process::wait(Which::Pid(guard.pid), 0).unwrap_or_default();
            self.registry.remove(key);
        }
    }

    fn guard_spoke(&mut self, key: Key) {
        let Some(State::Building {
            guard,
            channel,
            packet,
        }) = self.registry.get_mut(key)
        else {
            return;
        };
        match launch::hear_guard(guard, channel, packet) {
            Heard::Building => {}
            // The channel has done its work. Closing it ends its watch: the guard closes its own end.
            Heard::Ready | Heard::Failed => self.settle(key),
        }
    }

    /// From Building to Running: what was kept for the log goes.
    fn settle(&mut self, key: Key) {
        let Some(state) = self.registry.get_mut(key) else {
            return;
        };
        if let State::Building { guard, channel, .. } = state {
            self.epoll.forget(channel.raw()).unwrap_or_default();
            let guard = Guard {
                pid: guard.pid,
                pidfd: guard.pidfd.take(),
            };
            *state = State::Running { guard };
        }
    }

    /// The guard's pidfd fired: it has ended, and its sandbox with it.
    fn guard_ended(&mut self, key: Key) {
        // Its last word may be in the same batch of events, after this one.
        self.guard_spoke(key);
        let Some(state) = self.registry.get_mut(key) else {
            return;
        };
        let (State::Building { guard, .. } | State::Running { guard }) = state else {
            return;
        };
        if let Ok(Some(_)) | Err(Errno::ECHILD) = process::wait(Which::Pid(guard.pid), WNOHANG) {
            self.registry.remove(key);
        }
    }

    /// Reads the signals; says whether one of them ends the master.
    fn signalled(&mut self) -> Result<bool> {
        while let Some(caught) = signal::read_signal(self.signals.raw())? {
            if caught.signal != SIGCHLD {
                return Ok(true);
            }
            self.children_ended();
        }
        Ok(false)
    }

    /// Without pidfds: signals coalesce, so everything that has ended is looked for.
    fn children_ended(&mut self) {
        loop {
            let ended = self.registry.iter().find_map(|(key, state)| match state {
                State::Building { guard, .. } | State::Running { guard }
                    if guard.pidfd.is_none() =>
                {
                    has_ended(guard.pid).then_some(key)
                }
                _ => None,
            });
            let Some(key) = ended else { return };
            self.guard_ended(key);
        }
    }

    fn drop_silent_clients(&mut self) {
        let now = time::monotonic_ms();
        if self.next_deadline_ms.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.next_deadline_ms = None;
        loop {
            let mut silent = None;
            for (key, state) in self.registry.iter() {
                let State::Asking { deadline_ms, .. } = state else {
                    continue;
                };
                if *deadline_ms <= now {
                    silent = Some(key);
                    break;
                }
                self.next_deadline_ms = Some(
                    self.next_deadline_ms
                        .map_or(*deadline_ms, |next| next.min(*deadline_ms)),
                );
            }
            let Some(State::Asking { client, peer, .. }) =
                silent.and_then(|key| self.registry.remove(key))
            else {
                return;
            };
            launch::refuse(
                &client,
                &peer,
                0,
                &Failure::new(Stage::REQUEST, Errno::ETIMEDOUT.raw()),
                None,
            );
        }
    }
}

/// Has this child ended? It is left on the table.
fn has_ended(pid: i32) -> bool {
    matches!(
        process::wait(Which::Pid(pid), WNOHANG | rocker_sys::raw::general::WNOWAIT),
        Ok(Some(_)) | Err(Errno::ECHILD)
    )
}
