//! The spare guard: made before anybody asks for it.
//!
//! Of the time until an App starts from a package that is in use, without overlays, a quarter goes to what is the same for
//! every sandbox: the clone into new namespaces, and `/proc` and `/sys` in them. So the master makes the next guard when it
//! has nothing better to do. The first request of root's gets it. Others have theirs made when they come, as those have whose
//! AppMaster is not root, who is to own the sandbox's namespaces.
//!
//! A guard reads its copy of the master's memory. What of that may have changed when it is called comes with the call, or
//! else the guard is given up and another one made: when packages were mounted or unmounted in the cache, the keys have
//! changed, or the host's mounts.

use super::Server;
use crate::birth::Birth;
use crate::options::Options;
use crate::registry::Key;
use crate::trust::Generation;

/// Whether a guard waits, and is to wait.
pub(super) struct Spare {
    waiting: Option<Waiting>,
    /// Is one to be made when there is time?
    is_wanted: bool,
    /// Is that ever so?
    is_kept: bool,
}

#[derive(Clone, Copy)]
struct Waiting {
    key: Key,
    born: Stamp,
}

/// What a guard has a copy of: how often the cache has changed, and the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp(u32, Generation);

impl Spare {
    /// None as yet: where root launches nothing, nothing is spent on it.
    pub(super) fn new(options: &Options<'_>) -> Self {
        Self {
            waiting: None,
            is_wanted: false,
            is_kept: options.keeps_spare,
        }
    }
}

impl Server<'_> {
    /// This guard's launch is over. Where root has launched something once it will again.
    pub(super) fn want_spare(&mut self, key: Key) {
        let guard = self.registry.guard_mut(key);
        self.spare.is_wanted |= self.spare.is_kept && guard.is_some_and(|it| it.peer_uid == 0);
    }

    /// After everything that has happened. While root launches something there is something better to do.
    pub(super) fn keep_spare(&mut self) {
        if let Some(Waiting { key, born }) = self.spare.waiting {
            if self.registry.guard_mut(key).is_none() {
                // It was killed, or could not be made ready, as the next one might not be either.
                self.spare.waiting = None;
            } else if born != self.stamp() {
                self.drop_spare();
                self.spare.is_wanted = true;
            }
        }
        // Where mounts cannot be fetched one by one, its copy of the cache would be out of date.
        let can_be = self.launcher.mounts.cache().is_some() && self.registry.has_room_for(0);
        let is_missing = self.spare.is_wanted && self.spare.waiting.is_none();
        if is_missing && can_be && self.registry.usage(0).launches == 0 {
            // What fails now is tried again after the next launch.
            self.spare.is_wanted = false;
            let born = self.stamp();
            let made = self.make_guard(Birth::Early);
            self.spare.waiting = made.ok().map(|key| Waiting { key, born });
        }
    }

    fn stamp(&self) -> Stamp {
        let kept = &self.launcher.kept;
        Stamp(kept.cache.changes(), kept.trust.generation())
    }

    /// The guard that waits, for a launch of this owner's.
    pub(super) fn take_spare(&mut self, owner: u32) -> Option<Key> {
        let now = self.stamp();
        let is_fit = |waiting: &mut Waiting| owner == 0 && waiting.born == now;
        Some(self.spare.waiting.take_if(is_fit)?.key)
    }

    /// Gives it up.
    pub(super) fn drop_spare(&mut self) {
        if let Some(Waiting { key, .. }) = self.spare.waiting.take() {
            self.forget_channel(key);
        }
    }
}
