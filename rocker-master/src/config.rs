//! `Config`: the policy's file, as it was read last.

use crate::log::Line;
use core::ffi::CStr;
use rocker_guard::resolve;
use rocker_proto::policy::{Mistake, Peer, Policy, TEXT_MAX};
use rocker_proto::{Failure, Request, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::socket::Credentials;
use rocker_sys::{Errno, ProcPath, fs};

/// Where the file is if nothing else is said.
const DEFAULT: &CStr = c"/etc/rocker/rocker.conf";

/// Why a file cannot be used.
enum Refusal {
    Errno(Errno),
    Mistake(Mistake),
}

/// A policy, and the text that it goes with.
struct Rules {
    policy: Policy,
    text: Option<Text>,
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
    /// Reads the file. If it cannot be used the log says why.
    pub(crate) fn load(named: Option<&'a CStr>) -> Option<Self> {
        let rules = Rules::read(named)?;
        Some(Self { named, rules })
    }

    /// Reads it again, and says so. What cannot be used changes nothing.
    pub(crate) fn reload(&mut self) {
        if let Some(rules) = Rules::read(self.named) {
            self.rules = rules;
            let path = self.named.unwrap_or(DEFAULT);
            Line::new()
                .text("uses ")
                .quoted(path)
                .text(" as it is now")
                .print();
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// What this peer may ask for; `None`: nothing.
    pub(crate) fn peer(&self, peer: &Credentials) -> Option<&Peer> {
        self.policy().peer(peer.uid, peer.gid)
    }

    /// May this peer have this? It has so many sandboxes already.
    pub(crate) fn admit<'r>(
        &self,
        peer: &Credentials,
        sandboxes: u32,
        request: &Request<'r>,
    ) -> Result<(), (Failure, Option<&'r CStr>)> {
        let refuse = |stage, errno: Errno| Err((Failure::new(stage, errno.raw()), None));
        // The file may have changed since it connected.
        let Some(peer) = self.peer(peer) else {
            return refuse(Stage::PEER, Errno::EPERM);
        };
        if sandboxes >= peer.sandboxes() {
            return refuse(Stage::LIMIT, Errno::EDQUOT);
        }
        let text = self.rules.text.as_ref();
        peer.admit(text.map_or(&[], Text::bytes), request)
    }
}

impl Rules {
    const ROOT_ALONE: Self = Self {
        policy: Policy::ROOT_ALONE,
        text: None,
    };

    fn read(named: Option<&CStr>) -> Option<Self> {
        let path = named.unwrap_or(DEFAULT);
        match Self::try_read(path) {
            Ok(rules) => Some(rules),
            Err(Refusal::Errno(Errno::ENOENT)) if named.is_none() => Some(Self::ROOT_ALONE),
            Err(refusal) => {
                let mut line = Line::new();
                line.text("cannot use ").quoted(path).text(":");
                match refusal {
                    Refusal::Errno(errno) => line.text(" ").errno(errno.raw()),
                    Refusal::Mistake(Mistake {
                        line: number,
                        column,
                        expected,
                    }) => line
                        .unsigned(number)
                        .text(":")
                        .unsigned(column)
                        .text(": expected ")
                        .text(expected),
                };
                line.print();
                None
            }
        }
    }

    fn try_read(path: &CStr) -> Result<Self, Refusal> {
        let text = Text::read(path).map_err(Refusal::Errno)?;
        let policy = Policy::parse(text.bytes()).map_err(Refusal::Mistake)?;
        Ok(Self {
            policy,
            text: Some(text),
        })
    }
}

impl Text {
    /// Opened once; what was looked at is what is read.
    ///
    /// # Errors
    /// `EPERM`: it is no regular file that only root can write. `EFBIG`. `EBUSY`: it grows meanwhile.
    #[allow(unsafe_code)]
    fn read(path: &CStr) -> rocker_sys::Result<Self> {
        let place = resolve::open(path, 0)?;
        let stat = fs::fstat(place.raw())?;
        if !stat.is_file() || !stat.is_root_s_alone() {
            return Err(Errno::EPERM);
        }
        let size = usize::try_from(stat.size).map_err(|_| Errno::EFBIG)?;
        if size > TEXT_MAX {
            return Err(Errno::EFBIG);
        }
        let file = fs::open(ProcPath::new(place.raw()).as_c_str(), O_RDONLY)?;
        // One byte more, so that the end is seen.
        let mut pages = Pages::new(size.saturating_add(1))?;
        // SAFETY: guards ask for no policy, and end without dropping anything.
        unsafe { pages.keep_from_clones() }?;
        let mut len = 0usize;
        loop {
            let room = pages.as_mut_slice().get_mut(len..).unwrap_or_default();
            if room.is_empty() {
                return Err(Errno::EBUSY);
            }
            match fs::read(file.raw(), room)? {
                0 => return Ok(Self { pages, len }),
                read => len = len.saturating_add(read),
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        self.pages.as_slice().get(..self.len).unwrap_or_default()
    }
}
