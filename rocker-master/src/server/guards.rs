//! Guards: from their clone to their end.

use super::{Server, token};
use crate::launch::{self, Heard};
use crate::registry::{Guard, Key, State};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::{WNOHANG, WNOWAIT};
use rocker_sys::{Errno, Fd, signal, time};

/// What a guard says at most: maps or mounted, ready, what failed then, the end.
const WORDS_MAX: u32 = 4;

/// How long a guard may take to end that was killed, in milliseconds.
const KILL_TIMEOUT_MS: u64 = 100;

impl Server<'_> {
    pub(super) fn watch_guard(&mut self, state: State) {
        // The slot that the client had is free, so there is room.
        let Some(key) = self.registry.insert(state) else {
            return;
        };
        let Some(State::Building { guard, channel, .. }) = self.registry.get_mut(key) else {
            return;
        };
        let bits = u64::from(key.to_bits());
        let mut watched = self
            .sources
            .epoll
            .watch(channel.raw(), token::CHANNEL | bits);
        if let (Ok(()), Some(pidfd)) = (watched, &guard.pidfd) {
            watched = self.sources.epoll.watch(pidfd.raw(), token::GUARD | bits);
        }
        if watched.is_err() {
            // A guard that cannot be heard cannot be served. It may have let a client in already, whose child keeps it on the
            // table for as long as that client likes: then it stays there.
            process::kill(guard.pid, signal::SIGKILL).unwrap_or_default();
            let fd = guard.pidfd.as_ref().map_or(-1, Fd::raw);
            let deadline = time::monotonic_ms().saturating_add(KILL_TIMEOUT_MS);
            time::wait_readable(fd, deadline).unwrap_or_default();
            process::wait(Which::Pid(guard.pid), WNOHANG).unwrap_or_default();
            let lease = guard.lease;
            self.registry.remove(key);
            self.kept.cache.release(lease, time::monotonic_ms());
        }
    }

    /// Hears a word of a guard at work; says whether there was one.
    pub(super) fn guard_spoke(&mut self, key: Key) -> bool {
        let Some(State::Building {
            guard,
            channel,
            packet,
            is_ready,
        }) = self.registry.get_mut(key)
        else {
            return false;
        };
        match launch::hear_guard(guard, channel, packet, is_ready, &mut self.kept) {
            Heard::Nothing => return false,
            Heard::Building => self.know_guard(key),
            // The channel has done its work.
            Heard::Ready | Heard::Failed => self.settle(key),
        }
        true
    }

    /// From Building to Running: what was kept for the log goes. Now there is time for the next launch.
    fn settle(&mut self, key: Key) {
        self.mounts.prepare();
        if let Some(State::Building { channel, .. }) = self.registry.get_mut(key) {
            self.sources.epoll.forget(channel.raw()).unwrap_or_default();
            self.registry.settle(key);
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
        let Some(state) = self.registry.get_mut(key) else {
            return;
        };
        let (State::Building { guard, .. } | State::Running { guard }) = state else {
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
            self.kept.cache.release(lease, time::monotonic_ms());
        } else {
            self.know_guard(key);
        }
    }

    /// If the process that has made a guard has ended, and the guard has told who it is, it is one process from now on. One
    /// that cannot be watched is looked for, as on kernels without pidfds.
    fn know_guard(&mut self, key: Key) {
        let Some(State::Building { guard, .. } | State::Running { guard }) =
            self.registry.get_mut(key)
        else {
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
                State::Building { guard, .. } | State::Running { guard }
                    if guard.pidfd.is_none() =>
                {
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
