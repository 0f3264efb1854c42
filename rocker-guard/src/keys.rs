//! The keys that a device trusts: a directory of files as minisign writes them.

use crate::resolve;
use core::ffi::CStr;
use rocker_signature::{KEY_FILE_MAX, KeyId, PublicKey};
use rocker_sys::fs::DirEntries;
use rocker_sys::raw::general::{O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY};
use rocker_sys::{Errno, Fd, Result, fs};

/// How many keys there may be.
const KEYS_MAX: u32 = 16;

/// The key of this id in `*.pub` of a directory.
///
/// # Errors
/// `ENOKEY`: it is not there. A directory or a file that is not what it should be fails every search, so that it is noticed:
/// `EACCES` somebody but root may write to it, `EINVAL` it is no key, `E2BIG` there are too many.
pub(crate) fn find(dir: &CStr, id: &KeyId) -> Result<PublicKey> {
    let found = resolve::open(dir, O_DIRECTORY)?;
    let dir = fs::openat(found.raw(), c".", O_RDONLY | O_DIRECTORY, 0)?;
    if !fs::fstat(dir.raw())?.is_root_s_alone() {
        return Err(Errno::EACCES);
    }
    let mut buffer = [0; 2048];
    let mut keys = 0u32;
    let mut wanted = Err(Errno::ENOKEY);
    loop {
        let filled = fs::getdents64(dir.raw(), &mut buffer)?;
        let filled = buffer.get(..filled).unwrap_or_default();
        if filled.is_empty() {
            return wanted;
        }
        for entry in DirEntries::new(filled) {
            if !entry.name.to_bytes().ends_with(b".pub") {
                continue;
            }
            keys = keys.saturating_add(1);
            if keys > KEYS_MAX {
                return Err(Errno::E2BIG);
            }
            let key = read(&dir, entry.name)?;
            if key.id == *id {
                wanted = Ok(key);
            }
        }
    }
}

#[inline(never)] // smaller by itself
fn read(dir: &Fd, name: &CStr) -> Result<PublicKey> {
    // Without waiting for whoever writes, if it is a FIFO.
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    let file = fs::openat(dir.raw(), name, flags, 0)?;
    let stat = fs::fstat(file.raw())?;
    if !stat.is_file() || !stat.is_root_s_alone() {
        return Err(Errno::EACCES);
    }
    let mut text = [0; KEY_FILE_MAX];
    let len = fs::read_to_end(file.raw(), &mut text)?;
    PublicKey::parse(text.get(..len).unwrap_or_default()).map_err(|_| Errno::EINVAL)
}
