//! `Registry`: every connection and every guard that the master knows.

use crate::cache::Lease;
use crate::guard::{Guard, Phase};
use crate::packet::Packet;
use crate::quota::{Quota, Usage};
use rocker_sys::memory::Table;
use rocker_sys::socket::Credentials;
use rocker_sys::{Fd, Result};

/// How many launches under way and live sandboxes there may be. A slot is some hundred bytes, and memory that was never
/// needed is never touched.
pub(crate) const CAPACITY: usize = 4096;

/// How many of them, and of the master's descriptors, are kept for root: others may use up their own share, and not the
/// launch with which root mends that.
pub(crate) const ROOT_S: u16 = 64;

/// What a slot is about.
pub(crate) enum State {
    /// A client that has connected and not asked yet.
    Asking {
        client: Fd,
        peer: Credentials,
        deadline_ms: u64,
    },
    /// A guard.
    Guard(Guard),
}

impl State {
    /// What of its user's quota this takes.
    fn usage(&self) -> Usage {
        match self {
            Self::Asking { peer, .. } => Usage {
                uid: peer.uid,
                launches: 1,
                sandboxes: 0,
            },
            Self::Guard(guard) => guard.usage(),
        }
    }
}

/// Names a slot for as long as it is about the same thing: the number, and how often the slot was used before. An event
/// that was fetched before its slot changed hands finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u16,
    generation: u16,
}

impl Key {
    /// As it rides in an event's token.
    pub(crate) fn to_bits(self) -> u32 {
        u32::from(self.generation) << 16 | u32::from(self.index)
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self {
            index: (bits & 0xffff) as u16,
            generation: (bits >> 16) as u16,
        }
    }
}

struct Slot {
    state: Option<State>,
    generation: u16,
    /// The next free slot, if this one is free.
    next_free: Option<u16>,
}

/// A table of fixed size with a list of the free slots: the ones used last are used first, so that few pages are touched.
pub(crate) struct Registry {
    slots: Table<Slot>,
    free: Option<u16>,
    /// How many are in use.
    used: u16,
    /// The sum of all slots, by user.
    quota: Quota,
}

impl Registry {
    #[allow(unsafe_code)]
    pub(crate) fn new() -> Result<Self> {
        let slots = Table::new(CAPACITY)?;
        // SAFETY: the master clones guards, which know nothing of this table and end without dropping anything.
        unsafe { slots.keep_from_clones() }?;
        Ok(Self {
            slots,
            free: None,
            used: 0,
            quota: Quota::new(),
        })
    }

    /// Is there room for one more, of this user's?
    pub(crate) fn has_room_for(&self, uid: u32) -> bool {
        let kept = if uid == 0 { 0 } else { ROOT_S };
        let used = self.used.saturating_add(kept);
        usize::from(used) < CAPACITY && self.quota.has_room_for(uid)
    }

    /// What this user has.
    pub(crate) fn usage(&self, uid: u32) -> Usage {
        self.quota.usage(uid)
    }

    /// Takes a slot. Ask [`Registry::has_room_for`] first: without room the state is dropped, and its descriptors closed.
    pub(crate) fn insert(&mut self, state: State) -> Option<Key> {
        let usage = state.usage();
        let key = self.place(state)?;
        self.used = self.used.saturating_add(1);
        self.quota.add(usage);
        Some(key)
    }

    fn place(&mut self, state: State) -> Option<Key> {
        let Some(index) = self.free else {
            let slot = Slot {
                state: Some(state),
                generation: 0,
                next_free: None,
            };
            // The capacity fits 16 bits.
            let index = self.slots.push(slot).ok()? as u16;
            return Some(Key {
                index,
                generation: 0,
            });
        };
        let slot = self.slots.as_mut_slice().get_mut(usize::from(index))?;
        self.free = slot.next_free.take();
        slot.state = Some(state);
        Some(Key {
            index,
            generation: slot.generation,
        })
    }

    /// What the key names, if it still does.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut State> {
        let slot = self.slots.as_mut_slice().get_mut(usize::from(key.index))?;
        if slot.generation != key.generation {
            return None;
        }
        slot.state.as_mut()
    }

    /// Takes what the key names out, and leaves the slot free.
    pub(crate) fn remove(&mut self, key: Key) -> Option<State> {
        let slot = self.slots.as_mut_slice().get_mut(usize::from(key.index))?;
        if slot.generation != key.generation {
            return None;
        }
        let state = slot.state.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_free = self.free.replace(key.index);
        self.used = self.used.saturating_sub(1);
        self.quota.take_off(state.usage());
        Some(state)
    }

    /// The guard that the key names, if it still does.
    pub(crate) fn guard_mut(&mut self, key: Key) -> Option<&mut Guard> {
        match self.get_mut(key)? {
            State::Guard(guard) => Some(guard),
            State::Asking { .. } => None,
        }
    }

    /// A launch of its peer's is its own now: it is at work.
    pub(crate) fn employ(&mut self, key: Key, lease: Lease, packet: Packet) {
        if let Some(guard) = self.guard_mut(key) {
            guard.phase = Phase::Building;
            guard.peer_uid = packet.peer.uid;
            guard.lease = lease;
            guard.packet = Some(packet);
            let usage = guard.usage();
            self.quota.add(usage);
        }
    }

    /// Its sandbox is built: what was kept for the launch goes.
    pub(crate) fn settle(&mut self, key: Key) {
        if let Some(guard) = self.guard_mut(key) {
            let launch = Usage {
                sandboxes: 0,
                ..guard.usage()
            };
            guard.phase = Phase::Running;
            guard.packet = None;
            self.quota.take_off(launch);
        }
    }

    /// Everything that is there.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &State)> {
        (0u16..)
            .zip(self.slots.as_slice())
            .filter_map(|(index, slot)| {
                let state = slot.state.as_ref()?;
                Some((
                    Key {
                        index,
                        generation: slot.generation,
                    },
                    state,
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Tenant;

    fn running(pid: i32) -> State {
        State::Guard(Guard {
            keys: Default::default(),
            pid,
            tenant: Tenant::NOBODY,
            is_group: false,
            has_ended: false,
            told: None,
            pidfd: None,
            lease: Lease::Nothing,
            peer_uid: 0,
            phase: Phase::Running,
            channel: None,
            packet: None,
        })
    }

    #[test]
    fn a_key_names_one_thing_only() {
        let mut registry = Registry::new().unwrap();
        let first = registry.insert(running(1)).unwrap();
        assert!(registry.remove(first).is_some());
        assert!(registry.remove(first).is_none());
        let second = registry.insert(running(2)).unwrap();
        assert_eq!(second.index, first.index);
        assert!(registry.get_mut(first).is_none());
        assert!(
            registry
                .guard_mut(second)
                .is_some_and(|guard| guard.pid == 2)
        );
        assert_eq!(Key::from_bits(second.to_bits()), second);
    }

    #[test]
    fn it_fills_up_and_empties() {
        let mut registry = Registry::new().unwrap();
        let keys: Vec<_> = (0..4096)
            .map(|pid| registry.insert(running(pid)).unwrap())
            .collect();
        assert!(!registry.has_room_for(0) && !registry.has_room_for(1));
        assert!(registry.insert(running(9999)).is_none());
        assert!(registry.remove(keys[77]).is_some());
        assert!(registry.has_room_for(0) && !registry.has_room_for(1));
        assert_eq!(registry.iter().count(), 4095);
        assert_eq!(registry.insert(running(5)).unwrap().index, 77);
    }
}
