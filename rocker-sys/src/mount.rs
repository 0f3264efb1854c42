//! Mounts.
#![allow(unsafe_code)]

use crate::arch::{syscall2, syscall3, syscall5};
use crate::errno::{Result, done};
use crate::fd::{Fd, RawFd};
use core::ffi::CStr;
use linux_raw_sys::general as g;

pub use g::{
    MNT_DETACH, MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT,
    MS_SHARED, MS_SLAVE,
};

/// `ST_NOEXEC` of `statfs(2)`, which linux-raw-sys has not got: the same bit as `MS_NOEXEC` (`include/linux/statfs.h`).
pub const ST_NOEXEC: u32 = MS_NOEXEC;
/// `ST_RDONLY` of `statfs(2)`: the same bit as `MS_RDONLY`.
pub const ST_RDONLY: u32 = MS_RDONLY;

/// What to mount where, as `mount(2)` takes it. `None` stands for a null pointer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mount<'a> {
    /// A device, a directory, or a word for `/proc/mounts`.
    pub source: Option<&'a CStr>,
    /// The file system's type.
    pub fs_type: Option<&'a CStr>,
    /// `MS_*`
    pub flags: u32,
    /// The file system's own options.
    pub data: Option<&'a CStr>,
}

fn address(text: Option<&CStr>) -> usize {
    text.map_or(0, |text| text.as_ptr() as usize)
}

impl Mount<'_> {
    /// `mount(2)`
    pub fn at(&self, target: &CStr) -> Result<()> {
        // SAFETY: all strings are NUL-terminated and outlive the call; null is allowed for each but the target. The kernel
        // copies the data as a string up to a page, and stops at the fault if the page ends earlier.
        done(unsafe {
            syscall5(
                g::__NR_mount,
                address(self.source),
                target.as_ptr() as usize,
                address(self.fs_type),
                self.flags as usize,
                address(self.data),
            )
        })
    }
}

/// `umount2(2)`
pub fn umount(target: &CStr, flags: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe { syscall2(g::__NR_umount2, target.as_ptr() as usize, flags as usize) })
}

/// A copy of the mount at `path`, which may begin at `dir`, and of every mount below it, that hangs nowhere yet
/// (`open_tree(2)`, 5.2). When the descriptor is closed before [`hang_tree`], the copy is gone.
///
/// # Errors
/// `ENOSYS` where the kernel has not got it; `EINVAL` if the mount is in another mount namespace than this process.
pub fn copy_tree(dir: RawFd, path: &CStr) -> Result<Fd> {
    let flags = g::OPEN_TREE_CLONE | g::OPEN_TREE_CLOEXEC | g::AT_RECURSIVE;
    // SAFETY: the kernel only reads the path.
    Fd::from_ret(unsafe {
        syscall3(
            g::__NR_open_tree,
            dir as usize,
            path.as_ptr() as usize,
            flags as usize,
        )
    })
}

/// Hangs such a copy on an open directory (`move_mount(2)`, 5.2).
pub fn hang_tree(tree: &Fd, dir: &Fd) -> Result<()> {
    let flags = g::MOVE_MOUNT_F_EMPTY_PATH | g::MOVE_MOUNT_T_EMPTY_PATH;
    // SAFETY: the kernel only reads the two paths, which are empty.
    done(unsafe {
        syscall5(
            g::__NR_move_mount,
            tree.raw() as usize,
            c"".as_ptr() as usize,
            dir.raw() as usize,
            c"".as_ptr() as usize,
            flags as usize,
        )
    })
}
