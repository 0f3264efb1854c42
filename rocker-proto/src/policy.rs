//! `Policy`: who may ask the master for what, as a file says it.
//!
//! ```text
//! socket-mode 0660            # of the whole master: before the first section
//! socket-group 1000
//! require-signature no
//!
//! [peer uid=1000]             # or gid=1000, or a range as uid=1000-1009; the first section that fits a peer is its own
//! package-dir /data/packages  # and whatever lies below; several lines, several directories
//! exec-dir /run/apps          # likewise
//! data-dir /data/apps         # likewise
//! overlay-dir /etc            # this one, and none below: to name a directory opens it to the App
//! app-uid 10000-10999
//! app-gid 10000-10999
//! sandboxes 16
//! launches 8
//! data-size 4M
//! seccomp /etc/rocker/filters # as package-dir, or off; the default filter and the strict one are everybody's
//! ```
//!
//! The file is a ceiling: what it does not name, a peer may not have. Root alone is not listed and may do everything; in a
//! section of its own (`[peer uid=0]`) only what is named is limited.
//!
//! [`Policy::parse`] reads the whole file once, into a table of fixed size. Paths and ids of Apps stay in the text, where a
//! section's lines are read again when a peer asks: having a policy proves that they are well-formed.

mod admission;
mod entry;
mod key;
mod peer;
mod value;

pub use entry::Mistake;
pub use peer::Peer;

use entry::Entries;
use key::{OF_FILE, SIGNATURE, SOCKET_GROUP, SOCKET_MODE, Settings};

/// How many sections a file may have.
pub const PEERS_MAX: usize = 32;

/// How long a file may be, in bytes.
pub const TEXT_MAX: usize = 65_535;

/// As many sandboxes as the master has places for.
const SANDBOXES_MAX: u32 = 4096;

/// What a file says. It is used together with the text that it was read from.
#[derive(Clone, Debug)]
pub struct Policy {
    settings: Settings,
    peers: heapless::Vec<Peer, PEERS_MAX>,
}

impl Policy {
    /// That of no file: root alone.
    pub const ROOT_ALONE: Self = Self {
        settings: Settings::NONE,
        peers: heapless::Vec::new(),
    };

    /// Reads a file's text. The first thing that is wrong is told, and nothing is passed over.
    pub fn parse(text: &[u8]) -> Result<Self, Mistake> {
        let mut policy = Self::ROOT_ALONE;
        for entry in Entries::of(text, 0) {
            if entry.is_header() {
                let full = entry.key.expected("no more than 32 sections");
                policy.peers.push(Peer::of(&entry)?).map_err(|_| full)?;
                continue;
            }
            match policy.peers.last_mut() {
                Some(peer) => peer.take(&entry)?,
                None => policy.settings.take(&entry, &OF_FILE)?,
            }
        }
        Ok(policy)
    }

    /// The section of a peer, by the ids that the kernel says it has; `None`: it may not ask.
    pub fn peer(&self, uid: u32, gid: u32) -> Option<&Peer> {
        let listed = self.peers.iter().find(|peer| peer.is(uid, gid));
        listed.or((uid == 0).then_some(&Peer::UNLIMITED))
    }

    /// The mode of the master's socket.
    pub fn socket_mode(&self) -> u32 {
        self.settings.get(SOCKET_MODE).unwrap_or(0o660)
    }

    /// The group of the master's socket.
    pub fn socket_group(&self) -> u32 {
        self.settings.get(SOCKET_GROUP).unwrap_or(0)
    }

    /// May this peer start signed packages only?
    pub fn requires_signature(&self, peer: &Peer) -> bool {
        let said = peer.require_signature();
        said.or(self.settings.get(SIGNATURE)) == Some(1)
    }
}
