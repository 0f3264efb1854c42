//! `UserNamespaces`: one for all sandboxes of an App.
//!
//! A user namespace holds nothing of a sandbox but its id maps and some counters: every other namespace belongs to the
//! host's, and nobody in it has a capability. To make one, the guard has to wait until the master has written the maps, which
//! takes a tenth of a launch. So the master holds on to it, and the App's next sandbox enters it; it is the same App's,
//! user's and group's, and none else's. A client that is not root owns its sandbox's, which is that one's alone.

use rocker_proto::Request;
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Fd, RawFd, Result, StackPath, fs};

/// How many are held. Each takes a kilobyte of the kernel's memory.
const CAPACITY: usize = 16;

/// One that is held.
struct Entry {
    app_id: i32,
    uid: u32,
    gid: u32,
    namespace: Fd,
}

/// Those that are held; of more, the ones that were made last.
#[derive(Default)]
pub(crate) struct UserNamespaces {
    entries: [Option<Entry>; CAPACITY],
    /// Where the next one goes, modulo the capacity.
    next: usize,
}

impl UserNamespaces {
    /// That of the request's App.
    pub(crate) fn find(&self, request: &Request<'_>) -> Option<RawFd> {
        let is_app_s = |it: &&Entry| {
            it.app_id == request.app_id && it.uid == request.uid && it.gid == request.gid
        };
        let found = self.entries.iter().flatten().find(is_app_s)?;
        Some(found.namespace.raw())
    }

    /// Holds that of a guard whose maps are written. `pid` is a child of this process that has not been reaped.
    pub(crate) fn keep(&mut self, request: &Request<'_>, pid: i32) -> Result<()> {
        let path = StackPath::<32>::numbered(b"/proc/", pid.unsigned_abs(), b"/ns/user")?;
        let namespace = fs::open(path.as_c_str(), O_RDONLY)?;
        if let Some(slot) = self.entries.get_mut(self.next % CAPACITY) {
            *slot = Some(Entry {
                app_id: request.app_id,
                uid: request.uid,
                gid: request.gid,
                namespace,
            });
        }
        self.next = self.next.wrapping_add(1);
        Ok(())
    }
}
