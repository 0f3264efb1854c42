//! Guards: from their clone to their end.

use super::{Server, token};
use crate::birth::{self, Birth};
use crate::cache::Lease;
use crate::guard::Guard;
use crate::launch::{self, Admitted, Heard};
use crate::packet::Packet;
use crate::registry::{Key, State};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::{WNOHANG, WNOWAIT};
use rocker_sys::{Errno, Fd, Result, signal, time};

/// What a guard says at most: maps or mounted, ready, what failed then, the end.
const WORDS_MAX: u32 = 4;

impl Server<'_> {
    /// Gives this launch to the guard that waits, or to one that is made for it.
    #[inline(never)] // smaller by itself
    pub(super) fn employ_guard(
        &mut self,
        client: &Fd,
        mut packet: Packet,
        admitted: &Admitted,
    ) -> Result<()> {
        let spare = self.take_spare(admitted.owner);
        let called = spare.map(|key| self.call(key, client, &mut packet, admitted));
        let (key, lease) = match called {
            Some(Ok(called)) => called,
            // There was none, or it has been killed.
            None | Some(Err(_)) => {
                let key = self.make_guard(Birth::For(admitted.owner))?;
                self.call(key, client, &mut packet, admitted)?
            }
        };
        self.registry.employ(key, lease, packet);
        Ok(())
    }

    fn call(
        &mut self,
        key: Key,
        client: &Fd,
        packet: &mut Packet,
        admitted: &Admitted,
    ) -> Result<(Key, Lease)> {
        let guard = self.registry.guard_mut(key).ok_or(Errno::ESRCH)?;
        let called = birth::call(&mut self.launcher, guard, client, packet, admitted);
        if called.is_err() {
            self.forget_channel(key);
        }
        Ok((key, called?))
    }

    /// Makes a guard that waits to be called.
    pub(super) fn make_guard(&mut self, birth: Birth) -> Result<Key> {
        let guard = birth::bear(&self.launcher, self.listener.mask(), birth);
        self.launcher.mounts.go_home();
        self.watch_guard(guard?)
    }

    fn watch_guard(&mut self, guard: Guard) -> Result<Key> {
        // The slot that a client had is free, so there is room.
        let key = self
            .registry
            .insert(State::Guard(guard))
            .ok_or(Errno::EUSERS)?;
        let guard = self.registry.guard_mut(key).ok_or(Errno::EUSERS)?;
        let channel = guard.channel.as_ref().map_or(-1, Fd::raw);
        let bits = u64::from(key.to_bits());
        let mut watched = self.sources.epoll.watch(channel, token::CHANNEL | bits);
        if let (Ok(()), Some(pidfd)) = (watched, &guard.pidfd) {
            watched = self.sources.epoll.watch(pidfd.raw(), token::GUARD | bits);
        }
        if watched.is_err() {
            // A guard that cannot be heard cannot be served. It has not been called, so there is nothing that it would end late
            // for.
            process::kill(guard.pid, signal::SIGKILL).unwrap_or_default();
            process::wait(Which::Pid(guard.pid), 0).unwrap_or_default();
            self.registry.remove(key);
        }
        watched.map(|()| key)
    }

    /// Hears a word of a guard at work; says whether there was one.
    pub(super) fn guard_spoke(&mut self, key: Key) -> bool {
        let Some(guard) = self.registry.guard_mut(key) else {
            return false;
        };
        match launch::hear_guard(guard, &mut self.launcher.kept) {
            Heard::Nothing => return false,
            Heard::Building => self.know_guard(key),
            // The channel has done its work.
            Heard::Ready | Heard::Failed => self.settle(key),
        }
        true
    }

    /// What was kept for the log goes. Now there is time for the next launch.
    fn settle(&mut self, key: Key) {
        self.launcher.mounts.prepare();
        self.want_spare(key);
        self.forget_channel(key);
        self.registry.settle(key);
    }

    /// Without a channel, a guard that waits ends, and is taken off the table when it has.
    pub(super) fn forget_channel(&mut self, key: Key) {
        let guard = self.registry.guard_mut(key);
        if let Some(channel) = guard.and_then(|guard| guard.channel.take()) {
            // By hand: a guard that was cloned just now may still have a copy (Q6 of epoll(7)).
            self.sources.epoll.forget(channel.raw()).unwrap_or_default();
        }
    }

    /// The guard's pidfd fired: it has ended, and its sandbox with it.
    pub(super) fn guard_ended(&mut self, key: Key) {
        // Its last words may be in the same batch of events, after this one.
        for _ in 0..WORDS_MAX {
            if !self.guard_spoke(key) {
                break;
            }
        }
        self.reap(key);
    }

    /// Takes off the table who has ended of a slot's processes, and the slot with the last of them.
    fn reap(&mut self, key: Key) {
        let Some(guard) = self.registry.guard_mut(key) else {
            return;
        };
        let (has_ended, are_all) = reap(guard);
        guard.has_ended |= has_ended;
        if has_ended && let Some(pidfd) = guard.pidfd.take() {
            // By hand: a guard that was cloned just now may still have a copy (Q6 of epoll(7)).
            self.sources.epoll.forget(pidfd.raw()).unwrap_or_default();
        }
        if are_all {
            let lease = guard.lease;
            self.registry.remove(key);
            self.launcher
                .kept
                .cache
                .release(lease, time::monotonic_ms());
        } else {
            self.know_guard(key);
        }
    }

    /// If the process that has made a guard has ended, and the guard has told who it is, it is one process from now on. One
    /// that cannot be watched is looked for, as on kernels without pidfds.
    fn know_guard(&mut self, key: Key) {
        let Some(guard) = self.registry.guard_mut(key) else {
            return;
        };
        if !guard.has_ended {
            return;
        }
        let token = token::GUARD | u64::from(key.to_bits());
        if let Some((pid, pidfd)) = guard.told.take()
            && self.sources.epoll.watch(pidfd.raw(), token).is_ok()
        {
            guard.pid = pid;
            guard.is_group = false;
            guard.has_ended = false;
            guard.pidfd = Some(pidfd);
        }
    }

    /// Without pidfds: signals coalesce, so everything that has ended is looked for.
    pub(super) fn children_ended(&mut self) {
        loop {
            let ended = self.registry.iter().find_map(|(key, state)| match state {
                State::Guard(guard) if guard.pidfd.is_none() => {
                    has_ended(guard.children()).then_some(key)
                }
                _ => None,
            });
            let Some(key) = ended else { return };
            self.guard_ended(key);
        }
    }
}

/// Takes off the table who has ended; says whether the process of the guard's number has, and whether all have.
fn reap(guard: &Guard) -> (bool, bool) {
    let mut has_ended = false;
    loop {
        match process::wait(guard.children(), WNOHANG) {
            Ok(Some((pid, _))) => has_ended |= pid == guard.pid,
            Err(Errno::ECHILD) => return (true, true),
            // Nobody else has ended. Nothing else can go wrong.
            Ok(None) | Err(_) => return (has_ended, false),
        }
    }
}

/// Has one of these children ended? It is left on the table.
fn has_ended(children: Which) -> bool {
    let ended = process::wait(children, WNOHANG | WNOWAIT);
    matches!(ended, Ok(Some(_)) | Err(Errno::ECHILD))
}
