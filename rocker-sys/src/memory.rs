//! Pages straight from the kernel, for what is too large for a stack and too short-lived for a static.
#![allow(unsafe_code)]

use crate::arch::{syscall2, syscall4, syscall6};
use crate::errno::{Result, ret};
use linux_raw_sys::general as g;

#[cfg(any(
    target_arch = "arm",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "x86"
))]
const NR_MMAP: u32 = g::__NR_mmap2;
#[cfg(not(any(
    target_arch = "arm",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "x86"
)))]
const NR_MMAP: u32 = g::__NR_mmap;

/// Private zeroed memory, given back when it is dropped.
///
/// Having one proves that `len` bytes from the address are mapped, readable and writable, and nobody else's.
#[derive(Debug)]
pub struct Pages {
    address: usize,
    len: usize,
}

impl Pages {
    /// Maps `len` bytes, rounded up to pages by the kernel (`mmap(2)`).
    ///
    /// # Errors
    /// `ENOMEM`, and `EINVAL` for no bytes at all.
    pub fn new(len: usize) -> Result<Self> {
        let protection = (g::PROT_READ | g::PROT_WRITE) as usize;
        let flags = (g::MAP_PRIVATE | g::MAP_ANONYMOUS) as usize;
        // SAFETY: no address is asked for, so no mapping of this process is replaced.
        let value = unsafe { syscall6(NR_MMAP, 0, len, protection, flags, usize::MAX, 0) };
        Ok(Self {
            address: ret(value)?,
            len,
        })
    }

    /// Makes it larger; what it holds stays (`mremap(2)`).
    ///
    /// # Errors
    /// `ENOMEM`; the pages are as they were.
    pub fn grow(&mut self, len: usize) -> Result<()> {
        // SAFETY: the range is this value's own, and the borrow is exclusive: no pointer into it is alive.
        let value = unsafe {
            syscall4(
                g::__NR_mremap,
                self.address,
                self.len,
                len,
                g::MREMAP_MAYMOVE as usize,
            )
        };
        self.address = ret(value)?;
        self.len = len;
        Ok(())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` bytes from the address are mapped and initialised (zeroed by the kernel) as long as `self` lives.
        unsafe { core::slice::from_raw_parts(self.address as *const u8, self.len) }
    }

    /// The bytes, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.address as *mut u8, self.len) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the range is this value's own and nothing borrows it any more. munmap of a valid range cannot fail here.
        unsafe { syscall2(g::__NR_munmap, self.address, self.len) };
    }
}
