//! The attributes of mounts, changed in place.
#![allow(unsafe_code)]

use crate::arch::syscall5;
use crate::errno::{Result, done};
use crate::fs::AT_FDCWD;
use core::ffi::CStr;
use linux_raw_sys::general as g;

pub use g::{
    AT_RECURSIVE, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
};

/// Sets `MOUNT_ATTR_*` of the mount at `path`, with [`AT_RECURSIVE`] of all below it too (`mount_setattr(2)`, 5.12).
///
/// # Errors
/// `ENOSYS` where the kernel has not got it, `EINVAL` if `path` is not a mount point. Then nothing has changed.
pub fn set(path: &CStr, flags: u32, attributes: u32) -> Result<()> {
    change(path, flags, attributes, 0)
}

/// The opposite.
///
/// # Errors
/// As [`set`].
pub fn clear(path: &CStr, flags: u32, attributes: u32) -> Result<()> {
    change(path, flags, 0, attributes)
}

fn change(path: &CStr, flags: u32, set: u32, clear: u32) -> Result<()> {
    let attributes = g::mount_attr {
        attr_set: set.into(),
        attr_clr: clear.into(),
        propagation: 0,
        userns_fd: 0,
    };
    let size = size_of::<g::mount_attr>();
    // SAFETY: the kernel only reads the path and the structure, whose size goes with it.
    done(unsafe {
        syscall5(
            g::__NR_mount_setattr,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            flags as usize,
            (&raw const attributes) as usize,
            size,
        )
    })
}
