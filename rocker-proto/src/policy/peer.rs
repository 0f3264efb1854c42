//! `Peer`: one section of a policy.

use super::entry::Entry;
use super::key::{DATA_SIZE, LAUNCHES, OF_PEER, SANDBOXES, SIGNATURE, Settings};
use super::value::Ids;
use super::{Mistake, SANDBOXES_MAX};
use crate::Data;

/// What a peer may ask for. Whom it is about is decided by what the kernel says of the connection (`SO_PEERCRED`), which
/// knows one group of each process, its effective one.
#[derive(Clone, Debug)]
pub struct Peer {
    ids: Ids,
    by_gid: bool,
    settings: Settings,
    /// Where its lines start in the text.
    pub(super) body: usize,
}

impl Peer {
    /// Enough for the Apps of a small device, and no burden for its memory.
    const SANDBOXES: u32 = 16;
    /// As many threads as a process manager may start Apps from.
    const LAUNCHES: u32 = 8;

    /// Root, where the file does not speak of it. Its lines would start behind any text.
    pub(super) const UNLIMITED: Self = Self {
        ids: Ids::ROOT,
        by_gid: false,
        settings: Settings::NONE,
        body: usize::MAX,
    };

    /// A section's first line.
    pub(super) fn of(header: &Entry<'_>) -> Result<Self, Mistake> {
        let (which, ids) = header.value.split::<4>();
        let by_gid = which == b"gid=";
        if header.key.bytes != b"[peer" || !(by_gid || which == b"uid=") {
            return Err(header.key.expected("[peer uid=N] or [peer gid=N]"));
        }
        let range = match ids.bytes {
            b"0]" if !by_gid => Some(Ids::ROOT),
            [text @ .., b']'] => Ids::of(text),
            _ => None,
        };
        Ok(Self {
            ids: range.ok_or(ids.expected("N] or N-M]"))?,
            by_gid,
            settings: Settings::NONE,
            body: header.end,
        })
    }

    pub(super) fn take(&mut self, entry: &Entry<'_>) -> Result<(), Mistake> {
        self.settings.take(entry, &OF_PEER)
    }

    /// Is it about a peer with these ids? No group makes root anything less.
    pub(super) fn is(&self, uid: u32, gid: u32) -> bool {
        let id = if self.by_gid { gid } else { uid };
        self.ids.contain(id) && (uid != 0 || !self.by_gid)
    }

    /// Root's own: what is not named is allowed. Only root's section has this id.
    pub(super) fn is_open(&self) -> bool {
        self.ids.contain(0)
    }

    fn limit(&self, place: usize, default: u32, unlimited: u32) -> u32 {
        let default = if self.is_open() { unlimited } else { default };
        self.settings.get(place).unwrap_or(default)
    }

    /// How many sandboxes each uid may have at once.
    pub fn sandboxes(&self) -> u32 {
        self.limit(SANDBOXES, Self::SANDBOXES, SANDBOXES_MAX)
    }

    /// How many connections and launches of each uid may be under way.
    pub fn launches(&self) -> u32 {
        self.limit(LAUNCHES, Self::LAUNCHES, SANDBOXES_MAX)
    }

    /// How large a tmpfs may be, in KiB.
    pub(super) fn data_size_kib(&self) -> u32 {
        self.limit(DATA_SIZE, Data::DEFAULT_SIZE_KIB, u32::MAX)
    }

    pub(super) fn require_signature(&self) -> Option<u32> {
        self.settings.get(SIGNATURE)
    }
}
