//! What a request must be, field by field.

use super::Request;
use crate::limits::ID_MAX;
use crate::{Failure, Seccomp, Stage};
use core::ffi::CStr;

/// Error numbers that a check gives, from `errno(3)`: the same on every architecture of Linux.
const EEXIST: i32 = 17;
const EINVAL: i32 = 22;

impl<'a> Request<'a> {
    /// Each field by itself, in the order of `RockerRequest`.
    #[inline(never)] // smaller by itself
    pub(super) fn check(&self) -> Result<(), (Failure, Option<&'a CStr>)> {
        let id = |good: bool, stage| {
            if good {
                Ok(())
            } else {
                Err((Failure::new(stage, EINVAL), None))
            }
        };
        id(self.app_id > 0, Stage::APP_ID)?;
        id((1..=ID_MAX).contains(&self.uid), Stage::UID)?;
        id((1..=ID_MAX).contains(&self.gid), Stage::GID)?;
        let choices = [
            self.data.check(),
            self.seccomp.check(),
            self.network.check(),
        ];
        for choice in choices {
            choice.map_err(|failure| (failure, None))?;
        }
        let path = |path: &'a CStr, stage| {
            if is_path(path.to_bytes()) {
                Ok(())
            } else {
                Err((Failure::new(stage, EINVAL), Some(path)))
            }
        };
        path(self.package, Stage::PACKAGE_PATH)?;
        path(self.exec_dir, Stage::EXEC_DIR_PATH)?;
        if self.data.needs_dir() || !self.data_dir.is_empty() {
            path(self.data_dir, Stage::DATA_DIR_PATH)?;
        }
        if self.seccomp.filter() == Seccomp::FILE {
            path(self.policy, Stage::SECCOMP_POLICY)?;
        } else if !self.policy.is_empty() {
            // Nobody would read it.
            let failure = Failure::new(Stage::SECCOMP_POLICY, EINVAL);
            return Err((failure, Some(self.policy)));
        }
        self.check_overlays()
    }

    fn check_overlays(&self) -> Result<(), (Failure, Option<&'a CStr>)> {
        for (index, overlay) in (0u16..).zip(&self.overlays) {
            let Some(overlay) = *overlay else { continue };
            let refuse = |errno| {
                Err((
                    Failure::indexed(Stage::OVERLAY_PATH, errno, index),
                    Some(overlay),
                ))
            };
            if !self.data.has_overlays() {
                return Err((Failure::new(Stage::NO_OVERLAYS, EINVAL), Some(overlay)));
            }
            if !is_path(overlay.to_bytes()) || is_kernel_s(overlay.to_bytes()) {
                return refuse(EINVAL);
            }
            let earlier = self.overlays.iter().take(index.into());
            if earlier.flatten().any(|earlier| *earlier == overlay) {
                return refuse(EEXIST);
            }
        }
        Ok(())
    }
}

/// Absolute, not `/` itself, and every component a name: not empty, not `.`, not `..`.
pub(crate) fn is_path(path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(b"/") else {
        return false;
    };
    rest.split(|byte| *byte == b'/')
        .all(|component| !matches!(component, b"" | b"." | b".."))
}

/// The trees that the kernel makes: an overlay over them shows stale or dead files.
fn is_kernel_s(path: &[u8]) -> bool {
    [b"/proc".as_slice(), b"/sys", b"/dev"]
        .iter()
        .filter_map(|tree| path.strip_prefix(*tree))
        .any(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
