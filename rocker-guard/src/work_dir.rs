//! A work directory of overlayfs, and what a mount leaves in it.

use crate::resolve::open_dir;
use core::ffi::CStr;
use rocker_sys::raw::general::{AT_REMOVEDIR, O_PATH};
use rocker_sys::{Errno, Fd, Result, fs};

/// What a mount makes in it.
const WORK: &CStr = c"work";

/// Has a mount used it?
pub(crate) fn is_used(dir: &Fd) -> bool {
    open_dir(dir, WORK, O_PATH).err() != Some(Errno::ENOENT)
}

/// Removes what an earlier mount has left: else the next one would have to. The guard has opened the directory as root, in a
/// store that only root can look into. What cannot be removed waits for overlayfs.
pub fn clear(dir: &Fd) {
    let remove = |path| fs::unlinkat(dir.raw(), path, AT_REMOVEDIR);
    if remove(WORK).is_err() {
        // Because of the mark of a volatile one.
        clear_mark(dir).unwrap_or_default();
        for path in [c"work/incompat", WORK] {
            remove(path).unwrap_or_default();
        }
    }
}

/// Removes the mark that a volatile mount leaves; says whether there was one. It is there for people to think about what a
/// crash may have done to the upper layer; whoever asks for volatile has said that it does not matter.
#[inline(never)] // smaller by itself
pub(crate) fn clear_mark(dir: &Fd) -> Result<bool> {
    let open = |parent: &Fd, name| open_dir(parent, name, O_PATH);
    let incompat = match open(dir, WORK).and_then(|work| open(&work, c"incompat")) {
        Err(Errno::ENOENT) => return Ok(false),
        result => result?,
    };
    let volatile = match open(&incompat, c"volatile") {
        Err(Errno::ENOENT) => return Ok(false),
        result => result?,
    };
    match fs::unlinkat(volatile.raw(), c"dirty", 0) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno),
    }
    fs::unlinkat(incompat.raw(), c"volatile", AT_REMOVEDIR)?;
    Ok(true)
}
