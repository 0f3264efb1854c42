//! What is in a file: read and write.
#![allow(unsafe_code)]

use crate::arch::syscall3;
#[cfg(target_pointer_width = "64")]
use crate::arch::syscall4;
#[cfg(target_pointer_width = "32")]
use crate::arch::{syscall5, syscall6};
use crate::errno::{Result, ret};
use crate::fd::RawFd;
use linux_raw_sys::general as g;

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

/// Reads until the file ends or the buffer is full; says how many bytes came.
// Inlined, it would be in every caller.
#[inline(never)]
pub fn read_to_end(fd: RawFd, buffer: &mut [u8]) -> Result<usize> {
    let mut len = 0usize;
    // Nothing comes at the end, nor into no room at all.
    while let read @ 1.. = read(fd, buffer.get_mut(len..).unwrap_or_default())? {
        len = len.wrapping_add(read);
    }
    Ok(len)
}

/// `pread64(2)`: as [`read`], from this byte of the file on.
pub fn read_at(fd: RawFd, buffer: &mut [u8], offset: u64) -> Result<usize> {
    let (at, len) = (buffer.as_mut_ptr() as usize, buffer.len());
    #[cfg(target_pointer_width = "64")]
    // SAFETY: the kernel writes at most `len` bytes into the exclusively borrowed buffer.
    let read = unsafe { syscall4(g::__NR_pread64, fd as usize, at, len, offset as usize) };
    // Two registers for the offset; EABI wants a pair of them that starts with an even one.
    #[cfg(target_pointer_width = "32")]
    let read = {
        let [low, high] = if cfg!(target_endian = "little") {
            [offset as usize, (offset >> 32) as usize]
        } else {
            [(offset >> 32) as usize, offset as usize]
        };
        if cfg!(target_arch = "x86") {
            // SAFETY: as above.
            unsafe { syscall5(g::__NR_pread64, fd as usize, at, len, low, high) }
        } else {
            // SAFETY: as above.
            unsafe { syscall6(g::__NR_pread64, fd as usize, at, len, 0, low, high) }
        }
    };
    ret(read)
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
