//! `Keys`: what may be said, and `Settings`: what was said once.

use super::Mistake;
use super::entry::Entry;
use super::value::Kind;

/// How many keys of a section have one value: the first ones.
const VALUES: usize = 4;

/// The first in both tables.
pub(super) const SIGNATURE: usize = 0;
pub(super) const SOCKET_MODE: usize = 1;
pub(super) const SOCKET_GROUP: usize = 2;
pub(super) const SANDBOXES: usize = 1;
pub(super) const LAUNCHES: usize = 2;
pub(super) const DATA_SIZE: usize = 3;

/// What lines may be about. One with a number above [`VALUES`] may be said often, and is looked up in the text.
pub(super) struct Keys {
    /// One blank between two, as it is told to whoever wrote another.
    names: &'static str,
    kinds: &'static [Kind],
}

/// Before the first section.
pub(super) const OF_FILE: Keys = Keys {
    names: "require-signature socket-mode socket-group [peer",
    kinds: &[Kind::YesNo, Kind::Mode, Kind::Id],
};

/// In a peer's section.
pub(super) const OF_PEER: Keys = Keys {
    names: "require-signature sandboxes launches data-size package-dir exec-dir data-dir \
            overlay-dir app-uid app-gid seccomp [peer",
    kinds: &[
        Kind::YesNo,
        Kind::Count,
        Kind::Count,
        Kind::Size,
        Kind::Path,
        Kind::Path,
        Kind::Path,
        Kind::Path,
        Kind::Ids,
        Kind::Ids,
        Kind::Filter,
    ],
};

/// The values of a section, or of what stands before the first, each plus one: 0 was not said. So a policy that says nothing
/// is all zeroes, and takes no place in a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings([u32; VALUES]);

impl Settings {
    pub(super) const NONE: Self = Self([0; VALUES]);

    pub(super) fn get(&self, place: usize) -> Option<u32> {
        self.0.get(place)?.checked_sub(1)
    }

    /// Takes one line, which has one of these keys.
    pub(super) fn take(&mut self, entry: &Entry<'_>, keys: &Keys) -> Result<(), Mistake> {
        let mut names = keys.names.as_bytes().split(|byte| *byte == b' ');
        let place = names.position(|name| name == entry.key.bytes);
        let kind = place.and_then(|place| keys.kinds.get(place));
        let (Some(place), Some(kind)) = (place, kind) else {
            return Err(entry.key.expected(keys.names));
        };
        let Some(value) = kind.read(entry.value.bytes) else {
            return Err(entry.value.expected(kind.expected()));
        };
        if let Some(slot) = self.0.get_mut(place) {
            if *slot != 0 {
                return Err(entry.key.expected("each such key once"));
            }
            *slot = value.saturating_add(1);
        }
        Ok(())
    }
}
