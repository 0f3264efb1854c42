//! What an inode and a file system say of themselves.
#![allow(unsafe_code)]

use crate::arch::syscall2;
#[cfg(target_pointer_width = "32")]
use crate::arch::syscall3;
use crate::errno::{Result, done, ret};
use crate::fd::RawFd;
use core::mem::MaybeUninit;
use linux_raw_sys::general as g;

/// What `fstat(2)` and `statfs(2)` call the kernel's structures and numbers, per word size.
#[cfg(target_pointer_width = "64")]
mod abi {
    pub(super) use linux_raw_sys::general::statfs as KernelStatFs;
    pub(super) use linux_raw_sys::general::{
        __NR_fstat as NR_FSTAT, __NR_fstatfs as NR_FSTATFS, stat as KernelStat,
    };
}
#[cfg(target_pointer_width = "32")]
mod abi {
    pub(super) use linux_raw_sys::general::statfs64 as KernelStatFs;
    pub(super) use linux_raw_sys::general::{
        __NR_fstat64 as NR_FSTAT, __NR_fstatfs64 as NR_FSTATFS, stat64 as KernelStat,
    };
}

/// What Rocker needs to know of an inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Type and permission bits, as in `inode(7)`.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// Bytes, of a regular file.
    pub size: u64,
    /// The device that holds it.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// When its content changed last: seconds and nanoseconds.
    pub modified: [u64; 2],
    /// When anything of it changed last, its owner or name too: seconds and nanoseconds.
    pub changed: [u64; 2],
}

impl Stat {
    fn is_type(&self, file_type: u32) -> bool {
        self.mode & g::S_IFMT == file_type
    }

    /// A directory?
    pub fn is_dir(&self) -> bool {
        self.is_type(g::S_IFDIR)
    }

    /// A regular file?
    pub fn is_file(&self) -> bool {
        self.is_type(g::S_IFREG)
    }

    /// A block device?
    pub fn is_block_device(&self) -> bool {
        self.is_type(g::S_IFBLK)
    }

    /// A symbolic link?
    pub fn is_symlink(&self) -> bool {
        self.is_type(g::S_IFLNK)
    }

    /// May nobody but root change it: owner root, no write bit for anybody else?
    pub fn is_root_s_alone(&self) -> bool {
        self.uid == 0 && self.mode & 0o022 == 0
    }
}

/// What Rocker needs to know of a mounted file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatFs {
    /// The magic number of `statfs(2)`.
    pub magic: u32,
    /// The `ST_*` flags, mount and superblock together.
    pub flags: u32,
}

impl StatFs {
    /// `OVERLAYFS_SUPER_MAGIC`
    pub const OVERLAYFS: u32 = g::OVERLAYFS_SUPER_MAGIC;
    /// `TMPFS_MAGIC`
    pub const TMPFS: u32 = g::TMPFS_MAGIC;
    /// `PROC_SUPER_MAGIC`
    pub const PROC: u32 = g::PROC_SUPER_MAGIC;
}

/// `fstat(2)`; works on `O_PATH` descriptors too.
pub fn fstat(fd: RawFd) -> Result<Stat> {
    let mut stat = MaybeUninit::<abi::KernelStat>::uninit();
    // SAFETY: the kernel writes one struct stat of this architecture.
    done(unsafe { syscall2(abi::NR_FSTAT, fd as usize, stat.as_mut_ptr() as usize) })?;
    // SAFETY: the call succeeded, so the kernel has filled the structure.
    let stat = unsafe { stat.assume_init() };
    #[allow(
        clippy::unnecessary_cast,
        reason = "some are narrower on other machines"
    )]
    Ok(Stat {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u64,
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        modified: [stat.st_mtime as u64, stat.st_mtime_nsec as u64],
        changed: [stat.st_ctime as u64, stat.st_ctime_nsec as u64],
    })
}

/// `fstatfs(2)`; works on `O_PATH` descriptors since 3.12.
pub fn fstatfs(fd: RawFd) -> Result<StatFs> {
    let mut stat = MaybeUninit::<abi::KernelStatFs>::uninit();
    let address = stat.as_mut_ptr() as usize;
    #[cfg(target_pointer_width = "64")]
    // SAFETY: the kernel writes one struct statfs.
    let value = unsafe { syscall2(abi::NR_FSTATFS, fd as usize, address) };
    #[cfg(target_pointer_width = "32")]
    // SAFETY: the kernel writes one struct statfs64 after it has compared the size.
    let value = unsafe {
        syscall3(
            abi::NR_FSTATFS,
            fd as usize,
            size_of::<abi::KernelStatFs>(),
            address,
        )
    };
    ret(value)?;
    // SAFETY: the call succeeded, so the kernel has filled the structure.
    let stat = unsafe { stat.assume_init() };
    // Both fit 32 bits: magics are 32-bit numbers, flags are below 1 << 14.
    Ok(StatFs {
        magic: stat.f_type as u32,
        flags: stat.f_flags as u32,
    })
}
