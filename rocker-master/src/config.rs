//! `Config`: the policy's file, as it was read last.

use crate::log::Line;
use crate::options::{DEFAULT_CONFIG as DEFAULT, Options};
use core::ffi::CStr;
use rocker_guard::resolve::Found;
use rocker_proto::policy::{Peer, Policy, TEXT_MAX};
use rocker_proto::{Failure, Request, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::socket::Credentials;
use rocker_sys::{Errno, fs};

/// A policy, and the text that it goes with.
struct Rules {
    policy: Policy,
    text: Text,
}

/// What the file held, in pages of its own: guards need no copy.
struct Text {
    pages: Pages,
    len: usize,
}

/// Who may ask for what.
pub(crate) struct Config<'a> {
    /// The file that must be there; else there is the default one, or none.
    named: Option<&'a CStr>,
    rules: Rules,
}

impl<'a> Config<'a> {
    /// Reads the file. What is wrong with it is said: to the log, or without a name if somebody looks at it by hand.
    ///
    /// # Errors
    /// The exit status, if that was all.
    pub(crate) fn load(options: &Options<'a>) -> Result<Self, i32> {
        let (named, by_hand) = (options.config, options.check);
        let line = if by_hand { Line::bare() } else { Line::new() };
        match Rules::read(named, line) {
            None => Err(1),
            Some(_) if by_hand => Err(0),
            Some(rules) => Ok(Self { named, rules }),
        }
    }

    /// Reads it again, and says so. What cannot be used changes nothing.
    pub(crate) fn reload(&mut self) {
        if let Some(rules) = Rules::read(self.named, Line::new()) {
            self.rules = rules;
            let path = self.named.unwrap_or(DEFAULT);
            Line::new().text("uses now ").raw(path.to_bytes()).print();
        }
    }

    /// The group and the mode of the socket.
    pub(crate) fn socket(&self) -> (u32, u32) {
        let policy = &self.rules.policy;
        (policy.socket_group(), policy.socket_mode())
    }

    /// How many launches this peer may have under way; `None`: it may not ask.
    pub(crate) fn launches(&self, peer: &Credentials) -> Option<u32> {
        self.peer(peer).map(Peer::launches)
    }

    /// Who owns the sandboxes of this peer.
    pub(crate) fn owner(peer: &Credentials) -> u32 {
        peer.uid
    }

    /// What this peer may ask for; `None`: nothing.
    fn peer(&self, peer: &Credentials) -> Option<&Peer> {
        self.rules.policy.peer(peer.uid, peer.gid)
    }

    /// Must what this peer starts be signed?
    pub(crate) fn requires_signature(&self, peer: &Credentials) -> bool {
        let peer = self.peer(peer);
        peer.is_some_and(|peer| self.rules.policy.requires_signature(peer))
    }

    /// May this peer have this? It has so many sandboxes already.
    pub(crate) fn admit(
        &self,
        peer: &Credentials,
        sandboxes: u32,
        request: &Request<'_>,
    ) -> Result<(), Failure> {
        let refuse = |stage, errno: Errno| Err(Failure::new(stage, errno.raw()));
        // The file may have changed since it connected.
        let Some(peer) = self.peer(peer) else {
            return refuse(Stage::PEER, Errno::EPERM);
        };
        if sandboxes >= peer.sandboxes() {
            return refuse(Stage::LIMIT, Errno::EDQUOT);
        }
        peer.admit(self.rules.text.bytes(), request)
    }
}

impl Rules {
    /// If the file cannot be used this line says why.
    // Once: at the start, and for each SIGHUP.
    #[inline(never)]
    fn read(named: Option<&CStr>, mut line: Line) -> Option<Self> {
        let path = named.unwrap_or(DEFAULT);
        let text = match Text::read(path) {
            // One that says nothing.
            Err(Errno::ENOENT) if named.is_none() => Text::empty(),
            result => result,
        };
        line.raw(path.to_bytes()).text(":");
        match text {
            Err(Errno::EPERM) => line.text(" expected a file that only root can write"),
            Err(errno) => line.text(" ").errno(errno.raw()),
            Ok(text) => match Policy::parse(text.bytes()) {
                Ok(policy) => return Some(Self { policy, text }),
                Err(mistake) => line
                    .unsigned(mistake.line as u32)
                    .text(":")
                    .unsigned(mistake.column as u32)
                    .text(": expected ")
                    .text(mistake.expected),
            },
        };
        line.print();
        None
    }
}

impl Text {
    fn empty() -> rocker_sys::Result<Self> {
        Ok(Self {
            pages: Pages::new(1)?,
            len: 0,
        })
    }

    /// # Errors
    /// `EPERM`: it is no regular file that only root can write. `EFBIG`. `EBUSY`: it grows meanwhile.
    #[allow(unsafe_code)]
    fn read(path: &CStr) -> rocker_sys::Result<Self> {
        let mut found = Found::at(path)?;
        if !found.stat.is_file() || !found.stat.is_root_s_alone() {
            return Err(Errno::EPERM);
        }
        if found.stat.size > TEXT_MAX as u64 {
            return Err(Errno::EFBIG);
        }
        let size = found.stat.size as usize;
        found.open()?;
        // One byte more, so that the end is seen.
        let mut pages = Pages::new(size.saturating_add(1))?;
        // SAFETY: guards ask for no policy, and end without dropping anything.
        unsafe { pages.keep_from_clones() }?;
        let len = fs::read_to_end(found.file.raw(), pages.as_mut_slice())?;
        if len > size {
            return Err(Errno::EBUSY);
        }
        Ok(Self { pages, len })
    }

    fn bytes(&self) -> &[u8] {
        self.pages.as_slice().get(..self.len).unwrap_or_default()
    }
}
