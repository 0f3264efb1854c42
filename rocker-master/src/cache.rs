//! `PackageCache`: which packages are mounted, who uses them, and until when they stay.
//!
//! The guards mount ([`rocker_guard::Cache`]); this only counts, and says what is to be unmounted since nobody has used it for
//! a while. Until then the package's file is busy: its blocks stay on the disk when it is deleted, and its file system cannot
//! be unmounted.

mod lease;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use lease::Lease;

use crate::packet::Packet;
use core::mem;
use rocker_guard::{Home, PackageId, Slot};
use rocker_sys::{Fd, fs};
use state::State;

/// How many packages there may be. A launch that finds no slot mounts its package for itself alone.
pub(crate) const SLOTS: usize = u32::BITS as usize;

/// The table of slots.
pub(crate) struct PackageCache {
    /// Apart from the rest, because guards read it in their copies of the master's memory.
    ids: [Option<PackageId>; SLOTS],
    states: [State; SLOTS],
    /// What is to be unmounted: a bit for each slot.
    emptied: u32,
    /// Guards that may still choose any slot: nothing is unmounted under them.
    choosing: u32,
    /// How often the cache has moved.
    generation: u32,
    /// How often something of it has changed that guards read.
    changes: u32,
    /// How long a package stays that nobody uses, in milliseconds.
    idle_ms: u64,
}

/// One package, as an operator sees it.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) packet: &'a Packet,
    pub(crate) users: u32,
    pub(crate) idle_ms: u64,
}

impl PackageCache {
    /// Empty.
    pub(crate) fn new(idle_ms: u64) -> Self {
        Self {
            ids: [None; SLOTS],
            states: [const { State::Free }; SLOTS],
            emptied: 0,
            choosing: 0,
            generation: 0,
            changes: 0,
            idle_ms,
        }
    }

    /// What a guard gets to see that is cloned now; `free` is the slot that is kept for it.
    pub(crate) fn view(&self, free: Option<Slot>, home: Option<Home>) -> rocker_guard::Cache<'_> {
        rocker_guard::Cache {
            packages: &self.ids,
            free,
            home,
        }
    }

    /// Lets go of a package if every slot has one. What is emptied by that must be unmounted before the next lease.
    pub(crate) fn make_room(&mut self) {
        if self.free_slot().is_none() {
            self.drop_longest_idle();
        }
    }

    /// What is to be unmounted since this was asked last: a bit for each slot.
    pub(crate) fn emptied(&mut self) -> u32 {
        mem::take(&mut self.emptied)
    }

    /// For a guard that is to be cloned.
    pub(crate) fn lease(&mut self) -> Lease {
        let slot = self.free_slot();
        if let Some(state) = slot.and_then(|slot| self.state(slot)) {
            *state = State::Kept;
        }
        self.choosing = self.choosing.saturating_add(1);
        Lease::Choosing {
            kept: slot,
            generation: self.generation,
        }
    }

    /// A guard has chosen: `slot` as it says, and the file that it mounted there.
    pub(crate) fn choose(
        &mut self,
        lease: Lease,
        slot: Option<Slot>,
        file: Option<Fd>,
        packet: &Packet,
    ) -> Lease {
        let Lease::Choosing { kept, generation } = lease else {
            return lease;
        };
        self.choosing = self.choosing.saturating_sub(1);
        let chosen = match kept {
            Some(kept) if slot == Some(kept) => {
                // What was mounted where the cache is no more is its sandbox's alone.
                let file = file.filter(|_| generation == self.generation);
                let filled = file.and_then(|file| self.fill(kept, &file, packet));
                if filled.is_none() {
                    self.empty(kept);
                }
                filled
            }
            _ => {
                // It has mounted nothing there.
                if let Some(state) = kept.and_then(|slot| self.state(slot)) {
                    *state = State::Free;
                }
                slot.and_then(|slot| self.join(slot))
            }
        };
        chosen.map_or(Lease::Nothing, Lease::Slot)
    }

    fn fill(&mut self, slot: Slot, file: &Fd, packet: &Packet) -> Option<Slot> {
        let id = PackageId::of(&fs::fstat(file.raw()).ok()?);
        *self.ids.get_mut(usize::from(slot))? = Some(id);
        self.changed();
        *self.state(slot)? = State::Mounted {
            users: 1,
            idle_since: 0,
            packet: packet.copy().ok()?,
        };
        Some(slot)
    }

    fn join(&mut self, slot: Slot) -> Option<Slot> {
        match self.state(slot)? {
            State::Mounted { users, .. } => *users = users.saturating_add(1),
            State::Free | State::Kept => return None,
        }
        Some(slot)
    }

    /// The guard has ended, or was never made.
    pub(crate) fn release(&mut self, lease: Lease, now: u64) {
        match lease {
            Lease::Choosing { kept, .. } => {
                self.choosing = self.choosing.saturating_sub(1);
                // It has failed, perhaps after it had mounted something there.
                if let Some(slot) = kept {
                    self.empty(slot);
                }
            }
            Lease::Slot(slot) => {
                if let Some(State::Mounted {
                    users, idle_since, ..
                }) = self.state(slot)
                {
                    *users = users.saturating_sub(1);
                    *idle_since = now;
                }
                let is_forgotten = self.ids.get(usize::from(slot)) == Some(&None);
                if let (true, Some(state)) = (is_forgotten, self.state(slot)) {
                    state.free_if_unused();
                }
            }
            Lease::Nothing => {}
        }
        self.drop_overdue(now);
    }

    /// When the next package is to go, if one is idle.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let (_, since) = self.longest_idle()?;
        Some(since.saturating_add(self.idle_ms))
    }

    /// Lets go of what has been idle for long enough.
    pub(crate) fn drop_overdue(&mut self, now: u64) {
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.drop_longest_idle();
        }
    }

    /// Lets go of everything that nobody uses; says how many packages that were.
    pub(crate) fn drop_idle(&mut self) -> u32 {
        let mut dropped = 0u32;
        while self.drop_longest_idle().is_some() {
            dropped = dropped.saturating_add(1);
        }
        dropped
    }

    /// The mounts are in another place from now on.
    pub(crate) fn moved(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.changed();
    }

    /// As guards see it that were cloned while this was the same.
    #[cfg(feature = "spare-guard")]
    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// The mounts are gone. Sandboxes have their own copies; their slots are free when they end.
    pub(crate) fn forget_all(&mut self) {
        self.moved();
        self.ids = [None; SLOTS];
        for state in &mut self.states {
            state.free_if_unused();
        }
    }

    fn drop_longest_idle(&mut self) -> Option<Slot> {
        let (slot, _) = self.longest_idle()?;
        self.empty(slot);
        Some(slot)
    }

    fn empty(&mut self, slot: Slot) {
        let id = self.ids.get_mut(usize::from(slot));
        if id.is_some_and(|id| id.take().is_some()) {
            self.changed();
        }
        if let Some(state) = self.state(slot) {
            *state = State::Free;
            self.emptied |= 1 << slot;
        }
    }

    /// The package that may go first, and since when it is idle.
    fn longest_idle(&self) -> Option<(Slot, u64)> {
        let mut longest: Option<(Slot, u64)> = None;
        for (slot, state) in (0..).zip(&self.states) {
            if let State::Mounted {
                users: 0,
                idle_since: since,
                ..
            } = state
                && longest.is_none_or(|(_, other)| *since < other)
            {
                longest = Some((slot, *since));
            }
        }
        longest.filter(|_| self.choosing == 0)
    }

    /// Every package.
    pub(crate) fn entries(&self, now: u64) -> impl Iterator<Item = Entry<'_>> {
        self.states.iter().filter_map(move |state| match state {
            State::Mounted {
                users,
                idle_since,
                packet,
            } => Some(Entry {
                packet,
                users: *users,
                idle_ms: if *users == 0 {
                    now.saturating_sub(*idle_since)
                } else {
                    0
                },
            }),
            State::Free | State::Kept => None,
        })
    }

    fn state(&mut self, slot: Slot) -> Option<&mut State> {
        self.states.get_mut(usize::from(slot))
    }

    fn free_slot(&self) -> Option<Slot> {
        let mut slots = (0..).zip(&self.states);
        let (slot, _) = slots.find(|(_, state)| matches!(state, State::Free))?;
        Some(slot)
    }
}
