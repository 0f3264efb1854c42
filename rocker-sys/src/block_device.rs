//! A block device as it is.
#![allow(unsafe_code)]

use crate::arch::syscall3;
use crate::errno::{Result, done};
use crate::fd::RawFd;
use linux_raw_sys::general as g;
use linux_raw_sys::ioctl::BLKGETSIZE64;

/// Its size in bytes (`BLKGETSIZE64`, which writes 64 bits on machines of 32 too).
pub fn size(device: RawFd) -> Result<u64> {
    let mut size = 0u64;
    let address = (&raw mut size) as usize;
    // SAFETY: the kernel writes one u64.
    done(unsafe {
        syscall3(
            g::__NR_ioctl,
            device as usize,
            BLKGETSIZE64 as usize,
            address,
        )
    })?;
    Ok(size)
}
