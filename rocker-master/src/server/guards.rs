//! Guards: from their clone to their end.

use super::{Server, token};
use crate::launch::{self, Heard};
use crate::registry::{Key, State};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::{WNOHANG, WNOWAIT};
use rocker_sys::{Errno, signal, time};

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
        let mut watched = self.epoll.watch(channel.raw(), token::CHANNEL | bits);
        if let (Ok(()), Some(pidfd)) = (watched, &guard.pidfd) {
            watched = self.epoll.watch(pidfd.raw(), token::GUARD | bits);
        }
        if watched.is_err() {
            // A guard that cannot be heard cannot be served: it has done nothing yet.
            process::kill(guard.pid, signal::SIGKILL).unwrap_or_default();
            process::wait(Which::Pid(guard.pid), 0).unwrap_or_default();
            let lease = guard.lease;
            self.registry.remove(key);
            self.cache.release(lease, time::monotonic_ms());
        }
    }

    pub(super) fn guard_spoke(&mut self, key: Key) {
        let Some(State::Building {
            guard,
            channel,
            packet,
            is_ready,
        }) = self.registry.get_mut(key)
        else {
            return;
        };
        match launch::hear_guard(guard, channel, packet, is_ready, &mut self.cache) {
            Heard::Building => {}
            // The channel has done its work.
            Heard::Ready | Heard::Failed => self.settle(key),
        }
    }

    /// From Building to Running: what was kept for the log goes.
    fn settle(&mut self, key: Key) {
        if let Some(State::Building { channel, .. }) = self.registry.get_mut(key) {
            self.epoll.forget(channel.raw()).unwrap_or_default();
            self.registry.settle(key);
        }
    }

    /// The guard's pidfd fired: it has ended, and its sandbox with it.
    pub(super) fn guard_ended(&mut self, key: Key) {
        // Its last words may be in the same batch of events, after this one: maps, ready, what failed then, the end.
        for _ in 0..4 {
            self.guard_spoke(key);
        }
        let Some(state) = self.registry.get_mut(key) else {
            return;
        };
        let (State::Building { guard, .. } | State::Running { guard }) = state else {
            return;
        };
        if let Ok(Some(_)) | Err(Errno::ECHILD) = process::wait(Which::Pid(guard.pid), WNOHANG) {
            if let Some(pidfd) = &guard.pidfd {
                // By hand: a guard that was cloned just now may still have a copy (Q6 of epoll(7)).
                self.epoll.forget(pidfd.raw()).unwrap_or_default();
            }
            let lease = guard.lease;
            self.registry.remove(key);
            self.cache.release(lease, time::monotonic_ms());
        }
    }

    /// Without pidfds: signals coalesce, so everything that has ended is looked for.
    pub(super) fn children_ended(&mut self) {
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
}

/// Has this child ended? It is left on the table.
fn has_ended(pid: i32) -> bool {
    let ended = process::wait(Which::Pid(pid), WNOHANG | WNOWAIT);
    matches!(ended, Ok(Some(_)) | Err(Errno::ECHILD))
}
