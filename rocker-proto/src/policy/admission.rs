//! Whether a peer may have what it asks for.

use super::entry::Entries;
use super::peer::Peer;
use super::value::Ids;
use crate::{Data, DataMode, Failure, NO_INDEX, Request, Seccomp, Stage};
use core::ffi::CStr;

/// `errno(3)`
const EPERM: i32 = 1;

/// What is looked for among the lines of a section.
enum Wanted<'r> {
    /// A directory that is, or holds, this path.
    Above(&'r CStr),
    /// This path.
    Path(&'r CStr),
    /// A range with this id.
    Id(u32),
}

impl Peer {
    /// Allows a request or says which field is not allowed: `EPERM`, at the stage that is the field's own. `text` is what
    /// the policy was read from.
    ///
    /// Paths are compared as they are written, part by part. What they lead to is the guard's to find out, which follows
    /// no symbolic link but those that only root could have made: where root's links lead out of a directory, root wants
    /// that.
    pub fn admit(&self, text: &[u8], request: &Request<'_>) -> Result<(), Failure> {
        let check = |stage, index, key: &str, wanted| {
            if self.names(text, key.as_bytes(), &wanted) {
                Ok(())
            } else {
                Err(Failure::indexed(stage, EPERM, index))
            }
        };
        let one = |stage, key, wanted| check(stage, NO_INDEX, key, wanted);
        one(
            Stage::PACKAGE_PATH,
            "package-dir",
            Wanted::Above(request.package),
        )?;
        one(
            Stage::EXEC_DIR_PATH,
            "exec-dir",
            Wanted::Above(request.exec_dir),
        )?;
        if !request.data_dir.is_empty() {
            one(
                Stage::DATA_DIR_PATH,
                "data-dir",
                Wanted::Above(request.data_dir),
            )?;
        }
        for (index, overlay) in (0u16..).zip(request.overlays) {
            let Some(overlay) = overlay else { continue };
            check(
                Stage::OVERLAY_PATH,
                index,
                "overlay-dir",
                Wanted::Path(overlay),
            )?;
        }
        one(Stage::UID, "app-uid", Wanted::Id(request.uid))?;
        one(Stage::GID, "app-gid", Wanted::Id(request.gid))?;
        let seccomp = request.seccomp;
        if seccomp.filter() == Seccomp::FILE {
            let file = Wanted::Above(request.policy);
            one(Stage::SECCOMP_POLICY, "seccomp", file)?;
        }
        if seccomp == Seccomp::OFF || seccomp.is_logged() {
            one(Stage::SECCOMP, "seccomp", Wanted::Path(c"off"))?;
        }
        if self.allows_size(&request.data) {
            Ok(())
        } else {
            Err(Failure::new(Stage::DATA_SIZE, EPERM))
        }
    }

    fn allows_size(&self, data: &Data) -> bool {
        let size = match data.size_kib {
            0 => Data::DEFAULT_SIZE_KIB,
            size => size,
        };
        data.mode != DataMode::TMPFS || size <= self.data_size_kib()
    }

    /// Is this among the lines with this key? Of root it is, too, where there is no such line.
    // Once, and not in each of its callers.
    #[inline(never)]
    fn names(&self, text: &[u8], key: &[u8], wanted: &Wanted<'_>) -> bool {
        let mut allowed = self.is_open();
        for line in Entries::of(text, self.body) {
            if line.is_header() {
                break;
            }
            if line.key.bytes == key {
                if wanted.is(line.value.bytes) {
                    return true;
                }
                allowed = false;
            }
        }
        allowed
    }
}

impl Wanted<'_> {
    fn is(&self, value: &[u8]) -> bool {
        match self {
            Self::Above(path) => is_above(value, path.to_bytes()),
            Self::Path(path) => value == path.to_bytes(),
            Self::Id(id) => Ids::of(value).is_some_and(|ids| ids.contain(*id)),
        }
    }
}

/// Is `path` this directory, or does it lie below?
fn is_above(dir: &[u8], path: &[u8]) -> bool {
    let rest = path.strip_prefix(dir);
    // The root directory is the one whose name ends with a slash.
    dir == b"/" || rest.is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
}
