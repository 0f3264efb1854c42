//! `Lease`: a sandbox's part of the cache.

use rocker_guard::Slot;

/// What a sandbox holds of the cache; to be given back with [`super::PackageCache::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Lease {
    /// A guard that has not said which slot it uses.
    Choosing {
        /// Kept for it.
        kept: Option<Slot>,
        /// Where the cache was when it was cloned.
        generation: u32,
    },
    /// A sandbox that uses this slot.
    Slot(Slot),
    /// A sandbox that uses none.
    Nothing,
}

impl Lease {
    /// The slot that is kept for a guard that has not chosen yet.
    pub(crate) fn kept(self) -> Option<Slot> {
        match self {
            Self::Choosing { kept, .. } => kept,
            Self::Slot(_) | Self::Nothing => None,
        }
    }
}
