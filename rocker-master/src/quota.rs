//! `Quota`: how much of the master each user has.

/// How many users may have anything at once; one of these places is root's.
const USERS_MAX: usize = 64;

/// What one user has, or what one thing takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) uid: u32,
    /// Connections that have not asked, and launches under way.
    pub(crate) launches: u16,
    /// Sandboxes, those too that are being built.
    pub(crate) sandboxes: u16,
}

impl Usage {
    fn is_something(&self) -> bool {
        self.launches != 0 || self.sandboxes != 0
    }
}

/// A table of those who have something.
pub(crate) struct Quota(heapless::Vec<Usage, USERS_MAX>);

impl Quota {
    pub(crate) const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    /// What this user has.
    pub(crate) fn usage(&self, uid: u32) -> Usage {
        let found = self.0.iter().find(|usage| usage.uid == uid);
        found.copied().unwrap_or(Usage {
            uid,
            ..Usage::default()
        })
    }

    /// Is there a place for this user?
    pub(crate) fn has_room_for(&self, uid: u32) -> bool {
        let others = self.0.iter().filter(|usage| usage.uid != 0);
        uid == 0 || others.count() < USERS_MAX - 1 || self.usage(uid).is_something()
    }

    /// More is used; there is room, as was asked before.
    pub(crate) fn add(&mut self, more: Usage) {
        let Usage { uid, .. } = more;
        match self.0.iter_mut().find(|usage| usage.uid == uid) {
            Some(usage) => {
                usage.launches = usage.launches.saturating_add(more.launches);
                usage.sandboxes = usage.sandboxes.saturating_add(more.sandboxes);
            }
            None => self.0.push(more).unwrap_or_default(),
        }
    }

    /// It is used no longer.
    pub(crate) fn take_off(&mut self, less: Usage) {
        let Some(at) = self.0.iter().position(|usage| usage.uid == less.uid) else {
            return;
        };
        if let Some(usage) = self.0.get_mut(at) {
            usage.launches = usage.launches.saturating_sub(less.launches);
            usage.sandboxes = usage.sandboxes.saturating_sub(less.sandboxes);
            if !usage.is_something() {
                // The place of whoever has nothing is somebody else's.
                self.0.swap_remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn launch(uid: u32) -> Usage {
        Usage {
            uid,
            launches: 1,
            sandboxes: 1,
        }
    }

    #[test]
    fn what_is_taken_off_is_what_was_added() {
        let mut quota = Quota::new();
        quota.add(launch(7));
        quota.add(launch(8));
        quota.add(launch(7));
        assert_eq!((quota.usage(7).launches, quota.usage(7).sandboxes), (2, 2));
        assert_eq!(quota.usage(8), launch(8));
        quota.take_off(launch(7));
        quota.take_off(launch(7));
        assert_eq!(quota.usage(7).sandboxes, 0);
        assert_eq!(quota.usage(8), launch(8));
    }

    #[test]
    fn whoever_has_nothing_takes_no_place() {
        let mut quota = Quota::new();
        for uid in 1..64 {
            assert!(quota.has_room_for(uid));
            quota.add(launch(uid));
        }
        assert!(!quota.has_room_for(64));
        assert!(quota.has_room_for(63));
        quota.take_off(launch(5));
        assert!(quota.has_room_for(64));
    }

    #[test]
    fn root_has_a_place_always() {
        let mut quota = Quota::new();
        for uid in 1..64 {
            quota.add(launch(uid));
        }
        assert!(quota.has_room_for(0));
        quota.add(launch(0));
        assert_eq!(quota.usage(0), launch(0));
        assert!(!quota.has_room_for(64));
    }
}
