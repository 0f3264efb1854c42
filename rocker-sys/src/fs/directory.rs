//! Reading directories.
#![allow(unsafe_code)]

use crate::arch::syscall3;
use crate::errno::{Result, ret};
use crate::fd::RawFd;
use core::ffi::CStr;
use linux_raw_sys::general as g;

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
    /// The name.
    pub name: &'a CStr,
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
        let name = CStr::from_bytes_until_nul(record.get(Self::NAME..)?).ok()?;
        let file_type = *record.get(Self::TYPE)?;
        self.0 = self.0.get(record.len()..)?;
        Some(DirEntry { name, file_type })
    }
}
