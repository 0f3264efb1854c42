//! Files and directories: open, read, look at, create.
#![allow(unsafe_code)]

mod contents;
mod directory;
mod permissions;
mod stat;

pub use contents::{read, read_at, read_to_end, write};
pub use directory::{DirEntries, DirEntry, getdents64};
pub use permissions::{chmod, chown, fchmod, fchown};
pub use stat::{Stat, StatFs, fstat, fstatfs};

use crate::arch::{syscall1, syscall2, syscall3, syscall4, syscall5};
use crate::errno::{Errno, Result, done, ret};
use crate::fd::{Fd, RawFd};
use core::ffi::CStr;
use linux_raw_sys::general as g;

/// `fcntl(2)`: offsets of files are of 64 bits everywhere.
#[cfg(target_pointer_width = "32")]
pub(crate) const NR_FCNTL: u32 = g::__NR_fcntl64;
#[cfg(target_pointer_width = "64")]
pub(crate) const NR_FCNTL: u32 = g::__NR_fcntl;

/// Relative paths start at the working directory.
pub const AT_FDCWD: RawFd = g::AT_FDCWD;

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

/// Has anybody opened or mapped this file for writing? The file system's lock of readers (`F_SETLEASE` of `fcntl(2)`) tells:
/// it is refused then. `None` where the file system has no such lock.
///
/// The caller must own the file, or have CAP_LEASE, and have opened it for reading only.
pub fn has_writers(fd: RawFd) -> Option<bool> {
    let lease = |kind: u32| {
        let (set, kind) = (g::F_SETLEASE as usize, kind as usize);
        // SAFETY: integers only.
        ret(unsafe { syscall3(NR_FCNTL, fd as usize, set, kind) })
    };
    let taken = lease(g::F_RDLCK);
    lease(g::F_UNLCK).unwrap_or_default();
    match taken {
        Ok(_) => Some(false),
        Err(Errno::EAGAIN) => Some(true),
        Err(_) => None,
    }
}

/// `mkdirat(2)`
pub fn mkdirat(dir: RawFd, path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe {
        syscall3(
            g::__NR_mkdirat,
            dir as usize,
            path.as_ptr() as usize,
            mode as usize,
        )
    })
}

/// Takes an exclusive lock on the whole file, or says `EAGAIN` (`flock(2)`). It goes with the last copy of the descriptor.
pub fn try_lock(fd: RawFd) -> Result<()> {
    let operation = (g::LOCK_EX | g::LOCK_NB) as usize;
    // SAFETY: integers only.
    done(unsafe { syscall2(g::__NR_flock, fd as usize, operation) })
}

/// Takes an exclusive lock on the whole file for this process, or says `EAGAIN` or `EACCES` (`F_SETLK` of `fcntl(2)`). It goes
/// with the process, whoever has a copy of the descriptor, and with the first descriptor of the file that this one closes.
pub fn try_lock_for_process(fd: RawFd) -> Result<()> {
    let whole = g::flock {
        l_type: g::F_WRLCK as _,
        l_whence: g::SEEK_SET as _,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let address = (&raw const whole) as usize;
    // SAFETY: the kernel reads one struct flock, of the kind that goes with F_SETLK.
    done(unsafe { syscall3(NR_FCNTL, fd as usize, g::F_SETLK as usize, address) })
}

/// `unlinkat(2)`; `flags` may be `AT_REMOVEDIR`.
pub fn unlinkat(dir: RawFd, path: &CStr, flags: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe {
        syscall3(
            g::__NR_unlinkat,
            dir as usize,
            path.as_ptr() as usize,
            flags as usize,
        )
    })
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
    done(unsafe { syscall1(g::__NR_chdir, path.as_ptr() as usize) })
}

/// `fchdir(2)`
pub fn fchdir(dir: RawFd) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall1(g::__NR_fchdir, dir as usize) })
}

/// `chroot(2)`
pub fn chroot(path: &CStr) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe { syscall1(g::__NR_chroot, path.as_ptr() as usize) })
}

/// `ioctl(2)` whose argument is an integer, or none.
pub fn ioctl_int(fd: RawFd, request: u32, argument: usize) -> Result<usize> {
    // SAFETY: the callers in this workspace pass requests that take their argument by value.
    ret(unsafe { syscall3(g::__NR_ioctl, fd as usize, request as usize, argument) })
}

/// `faccessat(2)` with the real ids, `R_OK` and so on.
pub fn access(path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the kernel only reads the path.
    done(unsafe {
        syscall5(
            g::__NR_faccessat,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            mode as usize,
            0,
            0,
        )
    })
}
