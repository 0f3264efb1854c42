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
//! ```
//!
//! The file is a ceiling: what it does not name, a peer may not have. Root alone is not listed and may do everything; in a
//! section of its own (`[peer uid=0]`) only what is named is limited.
//!
//! [`Policy::parse`] reads the whole file once, into a table of fixed size. Paths and ids of Apps stay in the text, where a
//! section's lines are read again when a peer asks: having a policy proves that they are well-formed.

mod admission;
mod entry;
mod peer;

pub use entry::Mistake;
pub use peer::Peer;

use entry::{Entry, entries};

/// How many sections a file may have.
pub const PEERS_MAX: usize = 32;

/// How long a file may be, in bytes.
pub const TEXT_MAX: usize = 65_535;

/// As many sandboxes as the master has places for.
const SANDBOXES_MAX: u32 = 4096;

/// What a file says. It is used together with the text that it was read from.
#[derive(Clone, Debug)]
pub struct Policy {
    socket_mode: Option<u32>,
    socket_group: Option<u32>,
    require_signature: Option<u32>,
    peers: heapless::Vec<Peer, PEERS_MAX>,
}

impl Policy {
    /// That of no file: root alone.
    pub const ROOT_ALONE: Self = Self {
        socket_mode: None,
        socket_group: None,
        require_signature: None,
        peers: heapless::Vec::new(),
    };

    /// Reads a file's text. The first thing that is wrong is told, and nothing is passed over.
    pub fn parse(text: &[u8]) -> Result<Self, Mistake> {
        let mut policy = Self::ROOT_ALONE;
        for entry in entries(text, 0) {
            if entry.is_header() {
                let full = entry.key.expected("no more than 32 sections");
                policy.peers.push(Peer::of(&entry)?).map_err(|_| full)?;
            } else if let Some(peer) = policy.peers.last_mut() {
                peer.set(&entry)?;
            } else {
                policy.set(&entry)?;
            }
        }
        Ok(policy)
    }

    fn set(&mut self, entry: &Entry<'_>) -> Result<(), Mistake> {
        let Entry { key, value, .. } = entry;
        let slot = match key.bytes {
            b"socket-mode" => return key.once(&mut self.socket_mode, value.mode()?),
            b"socket-group" => return key.once(&mut self.socket_group, value.id()?),
            b"require-signature" => &mut self.require_signature,
            _ => {
                return Err(key.expected(
                    "socket-mode, socket-group, require-signature or [peer uid=N] or [peer gid=N]",
                ));
            }
        };
        key.once(slot, value.yes_or_no()?)
    }

    /// The section of a peer, by the ids that the kernel says it has; `None`: it may not ask.
    pub fn peer(&self, uid: u32, gid: u32) -> Option<&Peer> {
        let listed = self.peers.iter().find(|peer| peer.is(uid, gid));
        listed.or((uid == 0).then_some(&Peer::UNLIMITED))
    }

    /// The mode of the master's socket.
    pub fn socket_mode(&self) -> u32 {
        self.socket_mode.unwrap_or(0o660)
    }

    /// The group of the master's socket.
    pub fn socket_group(&self) -> u32 {
        self.socket_group.unwrap_or(0)
    }

    /// May this peer start signed packages only?
    pub fn requires_signature(&self, peer: &Peer) -> bool {
        peer.require_signature.or(self.require_signature) == Some(1)
    }
}
