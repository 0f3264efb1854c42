//! Clients: from their connection to their request.

use super::operators::Question;
use super::{ASK_TIMEOUT_MS, Server, token};
use crate::launch::{self, Asked};
use crate::packet::Packet;
use crate::refusal;
use crate::registry::{Key, ROOT_S, State};
use rocker_proto::{Failure, Stage};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::socket::{self, Credentials};
use rocker_sys::{Errno, Fd, RawFd, fs, time};

/// How many connections are taken at once: whoever connects all the time may not keep the master from its guards.
const ROUND: u32 = 16;

/// Who a peer is taken for if the kernel does not say.
const NOBODY: Credentials = Credentials {
    pid: 0,
    uid: u32::MAX,
    gid: u32::MAX,
};

fn peer_of(client: &Fd) -> Credentials {
    socket::peer_credentials(client.raw()).unwrap_or(NOBODY)
}

/// Tells a client that has not asked anything yet why it may not.
fn refuse(client: &Fd, peer: &Credentials, stage: Stage, errno: Errno) {
    refusal::refuse(client, peer, 0, &Failure::new(stage, errno.raw()), None);
}

impl Server<'_> {
    /// A round of them; what is left is told again, after what else has happened meanwhile.
    #[inline(never)] // smaller by itself
    pub(super) fn accept_some(&mut self) {
        for _ in 0..ROUND {
            match socket::accept(self.listener.socket.raw()) {
                Ok(client) => self.accept(client),
                Err(Errno::EMFILE | Errno::ENFILE) => return self.accept_to_refuse(),
                // EAGAIN: that was the last one. Anything else is that client's own trouble.
                Err(_) => return,
            }
        }
    }

    fn accept(&mut self, client: Fd) {
        let peer = peer_of(&client);
        if let Err((stage, errno)) = self.admit(&peer, client.raw()) {
            return refuse(&client, &peer, stage, errno);
        }
        let deadline_ms = time::monotonic_ms().saturating_add(ASK_TIMEOUT_MS);
        let fd = client.raw();
        let asking = State::Asking {
            client,
            peer,
            deadline_ms,
        };
        let Some(key) = self.registry.insert(asking) else {
            return;
        };
        let token = token::CLIENT | u64::from(key.to_bits());
        if self.sources.epoll.watch(fd, token).is_err() {
            self.registry.remove(key);
            return;
        }
        self.expect_by(deadline_ms);
        // Most requests are there already: saves a round through epoll.
        self.client_spoke(key);
    }

    /// May this peer ask at all, and now, over this connection?
    fn admit(&self, peer: &Credentials, connection: RawFd) -> Result<(), (Stage, Errno)> {
        let Some(launches) = self.launcher.config.launches(peer) else {
            return Err((Stage::PEER, Errno::EPERM));
        };
        if u32::from(self.registry.usage(peer.uid).launches) >= launches {
            return Err((Stage::LIMIT, Errno::EAGAIN));
        }
        if !self.registry.has_room_for(peer.uid) {
            return Err((Stage::LIMIT, Errno::EUSERS));
        }
        // The kernel gives the lowest number that is free.
        if peer.uid != 0 && connection.saturating_add(ROOT_S.into()) >= self.descriptors_end {
            return Err((Stage::LIMIT, Errno::EMFILE));
        }
        Ok(())
    }

    /// No descriptor is left: without this, the listener would stay readable and the loop would spin.
    fn accept_to_refuse(&mut self) {
        self.reserve = None;
        if let Ok(client) = socket::accept(self.listener.socket.raw()) {
            refuse(&client, &peer_of(&client), Stage::LIMIT, Errno::EMFILE);
        }
        self.reserve = fs::open(c"/dev/null", O_RDONLY).ok();
    }

    pub(super) fn client_spoke(&mut self, key: Key) {
        let Some(State::Asking { client, peer, .. }) = self.registry.get_mut(key) else {
            return;
        };
        let asked = launch::hear_request(client, *peer);
        if matches!(asked, Asked::NotYet) {
            return;
        }
        let Some((client, peer)) = self.take_client(key) else {
            return;
        };
        match asked {
            Asked::Request(packet) => self.fulfil(client, packet),
            Asked::Wrong(errno) => refuse(&client, &peer, Stage::REQUEST, errno),
            Asked::Nothing | Asked::NotYet => {}
        }
    }

    #[inline(never)] // smaller by itself
    fn fulfil(&mut self, client: Fd, packet: Packet) {
        if let Some(question) = Question::decode(packet.bytes()) {
            return self.answer(&client, &packet.peer, &question);
        }
        // Who has left, or goes on talking, does not wait for a sandbox: nobody is made a guard for nothing.
        if time::wait_readable(client.raw(), 0).is_ok() {
            return;
        }
        if let Err(errno) = self.follow_host() {
            return refuse(&client, &packet.peer, Stage::PROPAGATION, errno);
        }
        let required = self.launcher.config.requires_signature(&packet.peer);
        if let Err(errno) = self.launcher.kept.trust.follow_keys(required) {
            return refuse(&client, &packet.peer, Stage::PACKAGE_SIGNATURE, errno);
        }
        self.launcher.kept.cache.make_room();
        self.unmount_packages();
        let sandboxes = self.registry.usage(packet.peer.uid).sandboxes.into();
        let admitted = launch::admit(&self.launcher, &client, &packet, sandboxes, required);
        if let Some(admitted) = admitted {
            let peer = packet.peer;
            if let Err(errno) = self.employ_guard(&client, packet, &admitted) {
                let failure = Failure::new(Stage::CLONE, errno.raw());
                refusal::refuse(&client, &peer, admitted.app_id, &failure, None);
            }
        }
    }

    /// Takes a client out of the table, and its connection out of epoll: by hand, since a guard may hold the same open file,
    /// which would keep the watch alive (Q6 of epoll(7)).
    fn take_client(&mut self, key: Key) -> Option<(Fd, Credentials)> {
        match self.registry.remove(key)? {
            State::Asking { client, peer, .. } => {
                self.sources.epoll.forget(client.raw()).unwrap_or_default();
                self.asking = self.asking.saturating_sub(1);
                if self.asking == 0 {
                    // Nothing to wake up for.
                    self.next_deadline_ms = None;
                }
                Some((client, peer))
            }
            // Keys of clients are given to nobody else.
            State::Guard(_) => None,
        }
    }

    fn expect_by(&mut self, deadline_ms: u64) {
        self.asking = self.asking.saturating_add(1);
        let next = self.next_deadline_ms.unwrap_or(deadline_ms);
        self.next_deadline_ms = Some(next.min(deadline_ms));
    }

    pub(super) fn drop_silent_clients(&mut self) {
        let now = time::monotonic_ms();
        if self.next_deadline_ms.is_none_or(|deadline| now < deadline) {
            return;
        }
        while let Some((client, peer)) = self.overdue(now).and_then(|key| self.take_client(key)) {
            refuse(&client, &peer, Stage::REQUEST, Errno::ETIMEDOUT);
        }
        self.next_deadline_ms = self.deadlines().map(|(_, deadline)| deadline).min();
    }

    fn overdue(&self, now: u64) -> Option<Key> {
        let (key, _) = self.deadlines().find(|(_, deadline)| *deadline <= now)?;
        Some(key)
    }

    fn deadlines(&self) -> impl Iterator<Item = (Key, u64)> {
        self.registry.iter().filter_map(|(key, state)| match state {
            State::Asking { deadline_ms, .. } => Some((key, *deadline_ms)),
            State::Guard(_) => None,
        })
    }
}
