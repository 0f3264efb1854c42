//! `Peer`: one section of a policy.

use super::entry::{Entry, Ids};
use super::{Mistake, SANDBOXES_MAX};
use crate::Data;

/// What a peer may ask for. Whom it is about is decided by what the kernel says of the connection (`SO_PEERCRED`), which
/// knows one group of each process, its effective one.
#[derive(Clone, Debug)]
pub struct Peer {
    ids: Ids,
    by_gid: bool,
    /// Root's own: what is not named is allowed.
    pub(super) is_open: bool,
    pub(super) require_signature: Option<u32>,
    sandboxes: Option<u32>,
    launches: Option<u32>,
    data_size_kib: Option<u32>,
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
        is_open: true,
        require_signature: None,
        sandboxes: None,
        launches: None,
        data_size_kib: None,
        body: usize::MAX,
    };

    /// A section's first line.
    pub(super) fn of(header: &Entry<'_>) -> Result<Self, Mistake> {
        let mistake = header.key.expected("[peer uid=N] or [peer gid=N]");
        if header.key.bytes != b"[peer" {
            return Err(mistake);
        }
        let (by_gid, ids) = match (header.value.after(b"uid="), header.value.after(b"gid=")) {
            (Some(ids), _) => (false, ids),
            (_, Some(ids)) => (true, ids),
            _ => return Err(header.value.expected("uid=N] or gid=N]")),
        };
        let digits = ids.bytes.strip_suffix(b"]");
        // Root by its uid, and by itself.
        let is_root = digits == Some(b"0") && !by_gid;
        let ids = match digits.and_then(Ids::of) {
            Some(ids) => ids,
            None if is_root => Ids::ROOT,
            None => return Err(ids.expected("N] or N-M]")),
        };
        Ok(Self {
            ids,
            by_gid,
            is_open: is_root,
            body: header.end,
            ..Self::UNLIMITED
        })
    }

    pub(super) fn set(&mut self, entry: &Entry<'_>) -> Result<(), Mistake> {
        let Entry { key, value, .. } = entry;
        match key.bytes {
            b"package-dir" | b"exec-dir" | b"data-dir" | b"overlay-dir" => value.path(),
            b"app-uid" | b"app-gid" => value.ids().map(drop),
            b"sandboxes" => key.once(&mut self.sandboxes, value.count()?),
            b"launches" => key.once(&mut self.launches, value.count()?),
            b"data-size" => key.once(&mut self.data_size_kib, value.size()?),
            b"require-signature" => key.once(&mut self.require_signature, value.yes_or_no()?),
            _ => Err(key.expected(
                "package-dir, exec-dir, data-dir, overlay-dir, app-uid, app-gid, sandboxes, launches, data-size or require-signature",
            )),
        }
    }

    /// Is it about a peer with these ids? No group makes root anything less.
    pub(super) fn is(&self, uid: u32, gid: u32) -> bool {
        let id = if self.by_gid { gid } else { uid };
        self.ids.contain(id) && (uid != 0 || !self.by_gid)
    }

    fn or_default(&self, said: Option<u32>, default: u32, unlimited: u32) -> u32 {
        said.unwrap_or(if self.is_open { unlimited } else { default })
    }

    /// How many sandboxes each uid may have at once.
    pub fn sandboxes(&self) -> u32 {
        self.or_default(self.sandboxes, Self::SANDBOXES, SANDBOXES_MAX)
    }

    /// How many connections and launches of each uid may be under way.
    pub fn launches(&self) -> u32 {
        self.or_default(self.launches, Self::LAUNCHES, SANDBOXES_MAX)
    }

    /// How large a tmpfs may be, in KiB.
    pub(super) fn data_size_kib(&self) -> u32 {
        self.or_default(self.data_size_kib, Data::DEFAULT_SIZE_KIB, u32::MAX)
    }
}
