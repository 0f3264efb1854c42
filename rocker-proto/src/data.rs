//! `Data`: where an App's changes live while it runs, and what becomes of them.

use crate::{Failure, Stage};

const EINVAL: i32 = 22;

/// A choice of where the upper layers of the overlays are. A number and not an enum, so that what a caller got wrong reaches
/// the master, which refuses it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct DataMode(u8);

impl DataMode {
    /// In the data directory, as durable as its file system: the default.
    pub const DISK: Self = Self(0);
    /// In memory, of a limited size, and gone at the end unless it is kept.
    pub const TMPFS: Self = Self(1);
    /// In the data directory, without the durability: an fsync of the App's does nothing.
    pub const VOLATILE: Self = Self(2);

    /// The mode with this number, which may be none that we know.
    pub const fn from_raw(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    pub const fn raw(self) -> u8 {
        self.0
    }
}

/// Everything that a request says of the App's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// Where they live.
    pub mode: DataMode,
    /// [`Data::KEEP`] and [`Data::NO_OVERLAYS`].
    pub flags: u8,
    /// How large a tmpfs may become, in KiB; 0 is [`Data::DEFAULT_SIZE_KIB`].
    pub size_kib: u32,
}

impl Data {
    /// A good end writes what a tmpfs holds back to the data directory. Reserved: guards refuse it so far.
    pub const KEEP: u8 = 1;
    /// Nothing is overlaid: the App has the host's files, by ordinary permissions, and no changes of its own.
    pub const NO_OVERLAYS: u8 = 2;

    /// Enough for settings and logs, and a small part of the smallest device's memory.
    pub const DEFAULT_SIZE_KIB: u32 = 4096;

    /// In the data directory, durable.
    pub const DISK: Self = Self {
        mode: DataMode::DISK,
        flags: 0,
        size_kib: 0,
    };

    /// Is anything overlaid at all?
    pub const fn has_overlays(&self) -> bool {
        self.flags & Self::NO_OVERLAYS == 0
    }

    /// Does a good end write a tmpfs back?
    pub const fn is_kept(&self) -> bool {
        self.flags & Self::KEEP != 0
    }

    /// Is a data directory needed? What is not overlaid, and what ends with the sandbox, needs none.
    pub fn needs_dir(&self) -> bool {
        self.has_overlays() && (self.mode != DataMode::TMPFS || self.is_kept())
    }

    /// Refuses what is unknown, and what has no meaning together: it would not do what its sender thinks.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let is_tmpfs = self.mode == DataMode::TMPFS;
        let rules = [
            (self.mode.0 <= DataMode::VOLATILE.0, Stage::DATA_MODE),
            (self.size_kib == 0 || is_tmpfs, Stage::DATA_SIZE),
            (!self.is_kept() || is_tmpfs, Stage::DATA_KEEP),
            (
                self.has_overlays() || self.mode == DataMode::DISK,
                Stage::NO_OVERLAYS,
            ),
            (
                self.flags & !(Self::KEEP | Self::NO_OVERLAYS) == 0,
                Stage::FLAGS,
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, stage)) => Err(Failure::new(*stage, EINVAL)),
        }
    }
}
