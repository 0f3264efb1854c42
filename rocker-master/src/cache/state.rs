//! `State`: what is in a slot of the cache.

use crate::packet::Packet;

/// What a slot is for.
pub(super) enum State {
    Free,
    /// For a guard that has not chosen yet; something may be mounted already.
    Kept,
    /// A package.
    Mounted {
        /// How many sandboxes use it.
        users: u32,
        /// When the last of them ended, in milliseconds.
        idle_since: u64,
        /// The request that brought it, for its path.
        packet: Packet,
    },
}

impl State {
    /// Of a package that was forgotten, and whose last sandbox has ended.
    pub(super) fn free_if_unused(&mut self) {
        if let Self::Mounted { users: 0, .. } = self {
            *self = Self::Free;
        }
    }
}
