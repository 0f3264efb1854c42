//! What is mounted below an overlaid directory vanishes behind the overlay: bind it back.

use crate::mount_points::{MountPoint, MountPoints};
use crate::resolve::{self, PATH_MAX};
use core::ffi::CStr;
use rocker_sys::mount::{MS_BIND, MS_NODEV, MS_NOSUID, MS_REMOUNT, Mount, ST_NOEXEC, ST_RDONLY};
use rocker_sys::{Errno, Fd, ProcPath, Result, fs};

/// Binds every mount below `dir` to the same place in the overlay that covers it now. `lower` is the directory itself,
/// opened before: below it the mounts are still to be found.
pub(crate) fn bind_back(lower: &Fd, dir: &[u8], mounts: MountPoints<'_>) -> Result<()> {
    for mount in mounts.iter() {
        match bind_one(lower, dir, mount) {
            // Not there, on one side or the other: itself covered by another mount, removed on the host while it was
            // mounted, or removed by the App from its own view.
            Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn bind_one(lower: &Fd, dir: &[u8], mount: MountPoint<'_>) -> Result<()> {
    match mount.below(dir) {
        Some(below) => bind(lower, below, mount),
        None => Ok(()),
    }
}

// A frame of its own: pages that are touched only where something is mounted below.
#[inline(never)]
fn bind(lower: &Fd, below: impl Iterator<Item = u8>, mount: MountPoint<'_>) -> Result<()> {
    let mut buffer = [0; PATH_MAX];
    let source = resolve::open_at(lower, c_str(below, &mut buffer)?, 0)?;
    let mut buffer = [0; PATH_MAX];
    let path = c_str(mount.bytes(), &mut buffer)?;
    let target = resolve::open(path, 0)?;
    Mount {
        source: Some(ProcPath::new(source.raw()).as_c_str()),
        flags: MS_BIND,
        ..Mount::default()
    }
    .at(ProcPath::new(target.raw()).as_c_str())?;

    // A bind takes its flags in a second step, and takes exactly those: what was read-only or noexec stays so. The target's
    // descriptor is what lies under the mount, so the mount itself has to be opened.
    let mounted = resolve::open(path, 0)?;
    let kept = fs::fstatfs(mounted.raw())?.flags & (ST_RDONLY | ST_NOEXEC);
    Mount {
        flags: MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | kept,
        ..Mount::default()
    }
    .at(ProcPath::new(mounted.raw()).as_c_str())
}

fn c_str(bytes: impl Iterator<Item = u8>, buffer: &mut [u8; PATH_MAX]) -> Result<&CStr> {
    for (slot, byte) in buffer.iter_mut().zip(bytes) {
        *slot = byte;
    }
    CStr::from_bytes_until_nul(buffer).map_err(|_| Errno::ENAMETOOLONG)
}
