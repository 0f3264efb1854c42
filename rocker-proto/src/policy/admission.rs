//! Whether a peer may have what it asks for.

use super::entry::{Ids, entries};
use super::peer::Peer;
use crate::{Data, DataMode, Failure, Request, Stage};
use core::ffi::CStr;

/// `errno(3)`
const EPERM: i32 = 1;

impl Peer {
    /// Allows a request or says which field is not allowed: `EPERM`, at the stage that is the field's own. `text` is what the
    /// policy was read from.
    ///
    /// Paths are compared as they are written, part by part. What they lead to is the guard's to find out, which follows
    /// no symbolic link but those that only root could have made: where root's links lead out of a directory, root wants that.
    pub fn admit<'r>(
        &self,
        text: &[u8],
        request: &Request<'r>,
    ) -> Result<(), (Failure, Option<&'r CStr>)> {
        let list = List { peer: self, text };
        let refuse = |stage| Failure::new(stage, EPERM);
        let trees = [
            (&b"package-dir"[..], request.package, Stage::PACKAGE_PATH),
            (b"exec-dir", request.exec_dir, Stage::EXEC_DIR_PATH),
            (b"data-dir", request.data_dir, Stage::DATA_DIR_PATH),
        ];
        for (key, path, stage) in trees {
            // Only a data directory may be left out.
            let is_in = |dir: &[u8]| holds(dir, path.to_bytes());
            if !path.is_empty() && !list.allows(key, &is_in) {
                return Err((refuse(stage), Some(path)));
            }
        }
        for (index, overlay) in (0u16..).zip(request.overlays) {
            let Some(overlay) = overlay else { continue };
            if !list.allows(b"overlay-dir", &|dir| dir == overlay.to_bytes()) {
                let failure = Failure::indexed(Stage::OVERLAY_PATH, EPERM, index);
                return Err((failure, Some(overlay)));
            }
        }
        let is_id = |id| move |ids: &[u8]| Ids::of(ids).is_some_and(|ids| ids.contain(id));
        let rules = [
            (list.allows(b"app-uid", &is_id(request.uid)), Stage::UID),
            (list.allows(b"app-gid", &is_id(request.gid)), Stage::GID),
            (self.allows_size(&request.data), Stage::DATA_SIZE),
        ];
        match rules.into_iter().find(|(allowed, _)| !allowed) {
            None => Ok(()),
            Some((_, stage)) => Err((refuse(stage), None)),
        }
    }

    fn allows_size(&self, data: &Data) -> bool {
        let size = match data.size_kib {
            0 => Data::DEFAULT_SIZE_KIB,
            size => size,
        };
        data.mode != DataMode::TMPFS || size <= self.data_size_kib()
    }
}

/// The lines of a section.
struct List<'p> {
    peer: &'p Peer,
    text: &'p [u8],
}

impl List<'_> {
    /// Does one of this key's lines fit?
    fn allows(&self, key: &[u8], fits: &dyn Fn(&[u8]) -> bool) -> bool {
        let mut allowed = self.peer.is_open;
        let lines = entries(self.text, self.peer.body).take_while(|line| !line.is_header());
        for line in lines.filter(|line| line.key.bytes == key) {
            if fits(line.value.bytes) {
                return true;
            }
            allowed = false;
        }
        allowed
    }
}

/// Is `path` this directory, or does it lie below?
fn holds(dir: &[u8], path: &[u8]) -> bool {
    // The root directory is the one whose name ends with a slash.
    let rest = path.strip_prefix(dir);
    dir == b"/" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
