//! `Entrance`: how a client gets into a sandbox.

/// Which namespaces the App enters, and by what: which is to say which descriptors come with the first reply.
///
/// The first is the guard's pidfd, where the kernel has pidfds (5.3). By pidfd it is the only one: setns takes it for all
/// namespaces at once (5.8), from who may trace the guard. Else there follows one for the pid namespace, and one for each of
/// [`Entrance::doors`] in that order.
///
/// On the wire it is the upper halves of `CLONE_NEW*`, beside which the lowest bit is free. `CLONE_NEWPID` stands for
/// descriptors of namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrance(u16);

/// The upper halves of `CLONE_NEW*` (`clone(2)`).
const NEWNS: u16 = 0x0002;
const NEWCGROUP: u16 = 0x0200;
const NEWUTS: u16 = 0x0400;
const NEWIPC: u16 = 0x0800;
const NEWUSER: u16 = 0x1000;
const NEWPID: u16 = 0x2000;
const NEWNET: u16 = 0x4000;

impl Entrance {
    /// How many descriptors there are at most: the pidfd, and one for each of the above.
    pub const FDS_MAX: usize = 8;

    /// The guard's pidfd is there.
    const PIDFD: u16 = 1;
    /// What every sandbox has of its own, besides its pids.
    const ALWAYS: u16 = NEWIPC | NEWUTS | NEWNS | NEWUSER;
    const MAYBE: u16 = NEWCGROUP | NEWNET | NEWPID | Self::PIDFD;

    /// By pidfd, into the namespaces that every sandbox has, and into those of `more`: `CLONE_NEWCGROUP`, `CLONE_NEWNET`.
    pub const fn by_pidfd(more: u32) -> Self {
        Self(Self::ALWAYS | upper(more) | Self::PIDFD)
    }

    /// The same by descriptors of the namespaces; whether a pidfd comes too is up to the kernel.
    #[must_use]
    pub const fn one_by_one(self, has_pidfd: bool) -> Self {
        let pidfd = if has_pidfd { Self::PIDFD } else { 0 };
        Self(self.0 & !Self::PIDFD | NEWPID | pidfd)
    }

    /// Is the first descriptor the guard's pidfd?
    pub const fn has_pidfd(self) -> bool {
        self.0 & Self::PIDFD != 0
    }

    /// Are there descriptors of namespaces?
    pub const fn is_one_by_one(self) -> bool {
        self.0 & NEWPID != 0
    }

    /// What is entered after the pid namespace, step by step: `CLONE_NEW*` for setns. By pidfd it is one step.
    pub const fn doors(self) -> Doors {
        Doors {
            left: self.0 & !(Self::PIDFD | NEWPID),
            one_by_one: self.is_one_by_one(),
        }
    }

    pub(crate) const fn raw(self) -> u16 {
        self.0
    }

    /// `None`: something that every sandbox has is missing, there is something that we do not know, or there is no way in.
    pub(crate) fn from_raw(number: u16) -> Option<Self> {
        let is_known = number & !Self::MAYBE == Self::ALWAYS;
        let is_way_in = number & (NEWPID | Self::PIDFD) != 0;
        (is_known && is_way_in).then_some(Self(number))
    }
}

const fn upper(kinds: u32) -> u16 {
    let [_, _, low, high] = kinds.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// The steps of an entrance: `CLONE_NEW*`.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    left: u16,
    one_by_one: bool,
}

impl Iterator for Doors {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let others = self.left & !NEWUSER;
        let step = if self.one_by_one && others != 0 {
            // The user namespace comes last: with it go the privileges over the others.
            others & others.wrapping_neg()
        } else {
            self.left
        };
        self.left &= !step;
        (step != 0).then_some(u32::from(step) << 16)
    }
}
