//! Files and directories: open, read, look at, create.
#![allow(unsafe_code)]

use crate::arch::{syscall2, syscall3, syscall4, syscall5};
use crate::errno::{Result, ret};
use crate::fd::{Fd, RawFd};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use linux_raw_sys::general as g;

/// Relative paths start at the working directory.
pub const AT_FDCWD: RawFd = g::AT_FDCWD;

/// What `fstat(2)` and `statfs(2)` call the kernel's structures and numbers, per word size.
#[cfg(target_pointer_width = "64")]
mod abi {
    pub(super) use linux_raw_sys::general::{__NR_fchown as NR_FCHOWN, statfs as KernelStatFs};
    pub(super) use linux_raw_sys::general::{
        __NR_fstat as NR_FSTAT, __NR_fstatfs as NR_FSTATFS, stat as KernelStat,
    };
}
#[cfg(target_pointer_width = "32")]
mod abi {
    #[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
    pub(super) use linux_raw_sys::general::__NR_fchown as NR_FCHOWN;
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    pub(super) use linux_raw_sys::general::__NR_fchown32 as NR_FCHOWN;
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
    /// `PROC_SUPER_MAGIC`
    pub const PROC: u32 = g::PROC_SUPER_MAGIC;
}

/// `openat(2)`, always close-on-exec.
pub fn openat(dir: RawFd, path: &CStr, flags: u32, mode: u32) -> Result<Fd> {
    let flags = flags | g::O_CLOEXEC | g::O_LARGEFILE;
    // SAFETY: the kernel only reads the NUL-terminated path, which outlives the call.
    Fd::from_ret(unsafe {
        syscall4(
            g::__NR_openat,
            dir as usize,
            path.as_ptr() as usize,
            flags as usize,
            mode as usize,
        )
    })
}

/// Opens an absolute path, close-on-exec (`open(2)`).
pub fn open(path: &CStr, flags: u32) -> Result<Fd> {
    openat(AT_FDCWD, path, flags, 0)
}

/// `openat2(2)` (5.6), always close-on-exec; `resolve` is `RESOLVE_*`.
///
/// # Errors
/// `ENOSYS` where the kernel has not got it.
pub fn openat2(dir: RawFd, path: &CStr, flags: u32, resolve: u32) -> Result<Fd> {
    // openat2 refuses unknown flags; O_LARGEFILE is implied by it.
    let how = g::open_how {
        flags: (flags | g::O_CLOEXEC).into(),
        mode: 0,
        resolve: resolve.into(),
    };
    let size = size_of::<g::open_how>();
    // SAFETY: the kernel only reads the path and `how`, which outlive the call, and `size` is that of `how`.
    Fd::from_ret(unsafe {
        syscall4(
            g::__NR_openat2,
            dir as usize,
            path.as_ptr() as usize,
            (&raw const how) as usize,
            size,
        )
    })
}

/// `read(2)`: how many bytes came; 0 is the end.
pub fn read(fd: RawFd, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes at most `len` bytes into the exclusively borrowed buffer.
    ret(unsafe {
        syscall3(
            g::__NR_read,
            fd as usize,
            buffer.as_mut_ptr() as usize,
            buffer.len(),
        )
    })
}

/// `write(2)`: how many bytes were taken.
pub fn write(fd: RawFd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the kernel reads `len` bytes of the borrowed slice.
    ret(unsafe {
        syscall3(
            g::__NR_write,
            fd as usize,
            bytes.as_ptr() as usize,
            bytes.len(),
        )
    })
}

/// `fstat(2)`; works on `O_PATH` descriptors too.
pub fn fstat(fd: RawFd) -> Result<Stat> {
    let mut stat = MaybeUninit::<abi::KernelStat>::uninit();
    // SAFETY: the kernel writes one struct stat of this architecture.
    ret(unsafe { syscall2(abi::NR_FSTAT, fd as usize, stat.as_mut_ptr() as usize) })?;
    // SAFETY: the call succeeded, so the kernel has filled the structure.
    let stat = unsafe { stat.assume_init() };
    Ok(Stat {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u64,
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

/// `mkdirat(2)`
pub fn mkdirat(dir: RawFd, path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    ret(unsafe {
        syscall3(
            g::__NR_mkdirat,
            dir as usize,
            path.as_ptr() as usize,
            mode as usize,
        )
    })?;
    Ok(())
}

/// Takes an exclusive lock on the whole file, or says `EAGAIN` (`flock(2)`). It goes with the last copy of the descriptor.
pub fn try_lock(fd: RawFd) -> Result<()> {
    // SAFETY: integers only.
    ret(unsafe {
        syscall2(
            g::__NR_flock,
            fd as usize,
            (g::LOCK_EX | g::LOCK_NB) as usize,
        )
    })?;
    Ok(())
}

/// `unlinkat(2)`; `flags` may be `AT_REMOVEDIR`.
pub fn unlinkat(dir: RawFd, path: &CStr, flags: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    ret(unsafe {
        syscall3(
            g::__NR_unlinkat,
            dir as usize,
            path.as_ptr() as usize,
            flags as usize,
        )
    })?;
    Ok(())
}

/// `fchown(2)`
pub fn fchown(fd: RawFd, uid: u32, gid: u32) -> Result<()> {
    // SAFETY: integers only.
    ret(unsafe { syscall3(abi::NR_FCHOWN, fd as usize, uid as usize, gid as usize) })?;
    Ok(())
}

/// `fchmod(2)`
pub fn fchmod(fd: RawFd, mode: u32) -> Result<()> {
    // SAFETY: integers only.
    ret(unsafe { syscall2(g::__NR_fchmod, fd as usize, mode as usize) })?;
    Ok(())
}

/// `fchmodat(2)`: follows symbolic links.
pub fn chmod(path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    ret(unsafe {
        syscall3(
            g::__NR_fchmodat,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            mode as usize,
        )
    })?;
    Ok(())
}

/// `readlinkat(2)`: how many bytes the target has, cut at the buffer's length. With an empty path it reads the link that an
/// `O_PATH | O_NOFOLLOW` descriptor stands for.
pub fn readlinkat(dir: RawFd, path: &CStr, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel reads the path and writes at most `len` bytes into the exclusively borrowed buffer.
    ret(unsafe {
        syscall4(
            g::__NR_readlinkat,
            dir as usize,
            path.as_ptr() as usize,
            buffer.as_mut_ptr() as usize,
            buffer.len(),
        )
    })
}

/// `getdents64(2)`: fills the buffer with `linux_dirent64` records; 0 is the end.
pub fn getdents64(dir: RawFd, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes at most `len` bytes into the exclusively borrowed buffer.
    ret(unsafe {
        syscall3(
            g::__NR_getdents64,
            dir as usize,
            buffer.as_mut_ptr() as usize,
            buffer.len(),
        )
    })
}

/// One name of a directory, as `getdents64` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirEntry<'a> {
    /// The name, without NUL.
    pub name: &'a [u8],
    /// `DT_DIR` and so on; `DT_UNKNOWN` where the file system does not say.
    pub file_type: u8,
}

/// Walks the records that [`getdents64`] left in a buffer.
#[derive(Clone, Debug)]
pub struct DirEntries<'a>(&'a [u8]);

impl<'a> DirEntries<'a> {
    /// The layout of `struct linux_dirent64`: inode 8, offset 8, record length 2, type 1, name.
    const RECLEN: usize = 16;
    const TYPE: usize = 18;
    const NAME: usize = 19;

    /// The records in these bytes.
    pub fn new(filled: &'a [u8]) -> Self {
        Self(filled)
    }
}

impl<'a> Iterator for DirEntries<'a> {
    type Item = DirEntry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let low = *self.0.get(Self::RECLEN)?;
        let high = *self.0.get(Self::RECLEN + 1)?;
        let record = self.0.get(..u16::from_ne_bytes([low, high]).into())?;
        let name = record.get(Self::NAME..)?.split(|byte| *byte == 0).next()?;
        let file_type = *record.get(Self::TYPE)?;
        self.0 = self.0.get(record.len()..)?;
        Some(DirEntry { name, file_type })
    }
}

/// `memfd_create(2)`: a file without a name, for what a call wants as a file.
pub fn memfd_create(name: &CStr) -> Result<Fd> {
    // SAFETY: the kernel only reads the name.
    Fd::from_ret(unsafe {
        syscall2(
            g::__NR_memfd_create,
            name.as_ptr() as usize,
            g::MFD_CLOEXEC as usize,
        )
    })
}

/// `getcwd(2)`: how many bytes the path has, without its NUL. One that does not start with `/` lies outside the root
/// directory.
pub fn getcwd(buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes at most `len` bytes into the exclusively borrowed buffer.
    let filled =
        ret(unsafe { syscall2(g::__NR_getcwd, buffer.as_mut_ptr() as usize, buffer.len()) })?;
    Ok(filled.saturating_sub(1))
}

/// `chdir(2)`
pub fn chdir(path: &CStr) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    ret(unsafe { crate::arch::syscall1(g::__NR_chdir, path.as_ptr() as usize) })?;
    Ok(())
}

/// `mknodat(2)`
pub fn mknodat(dir: RawFd, path: &CStr, mode: u32, device: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    ret(unsafe {
        syscall4(
            g::__NR_mknodat,
            dir as usize,
            path.as_ptr() as usize,
            mode as usize,
            device as usize,
        )
    })?;
    Ok(())
}

/// `ioctl(2)` whose argument is an integer, or none.
pub fn ioctl_int(fd: RawFd, request: u32, argument: usize) -> Result<usize> {
    // SAFETY: the callers in this workspace pass requests that take their argument by value.
    ret(unsafe { syscall3(g::__NR_ioctl, fd as usize, request as usize, argument) })
}

/// `faccessat(2)` with the real ids, `R_OK` and so on.
pub fn access(path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    ret(unsafe {
        syscall5(
            g::__NR_faccessat,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            mode as usize,
            0,
            0,
        )
    })?;
    Ok(())
}
