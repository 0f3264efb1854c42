//! Pages straight from the kernel, for what is too large for a stack and too short-lived for a static.
#![allow(unsafe_code)]

use crate::arch::{syscall2, syscall3, syscall4, syscall6};
use crate::errno::{Errno, Result, done, ret};
use core::marker::PhantomData;
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
        Self::near(0, len)
    }

    /// The same at this address, if nothing is there yet; else wherever the kernel likes.
    pub(crate) fn near(address: usize, len: usize) -> Result<Self> {
        let protection = (g::PROT_READ | g::PROT_WRITE) as usize;
        let flags = (g::MAP_PRIVATE | g::MAP_ANONYMOUS) as usize;
        // SAFETY: without MAP_FIXED no mapping of this process is replaced.
        let value = unsafe { syscall6(NR_MMAP, address, len, protection, flags, usize::MAX, 0) };
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

    /// Leaves the mapping out of processes that are cloned from this one (`MADV_DONTFORK` of `madvise(2)`).
    ///
    /// # Safety
    /// No such process uses or drops this value.
    pub unsafe fn keep_from_clones(&self) -> Result<()> {
        // SAFETY: the range is this value's own, and in this process nothing changes.
        done(unsafe {
            syscall3(
                g::__NR_madvise,
                self.address,
                self.len,
                g::MADV_DONTFORK as usize,
            )
        })
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

/// A vector of fixed capacity in memory of its own: room that was never needed is never touched, and costs nothing.
///
/// A large array in a struct or on the stack would: moving the one copies it, and the other is probed page by page.
pub struct Table<T> {
    pages: Pages,
    capacity: usize,
    len: usize,
    holds: PhantomData<T>,
}

impl<T> core::fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Table({} of {})", self.len, self.capacity)
    }
}

impl<T> Table<T> {
    /// An empty table with room for so many.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(capacity: usize) -> Result<Self> {
        // Pages start at multiples of 4096 at least.
        const { assert!(align_of::<T>() <= 4096) };
        let size = capacity.checked_mul(size_of::<T>()).ok_or(Errno::ENOMEM)?;
        let pages = Pages::new(size)?;
        Ok(Self {
            pages,
            capacity,
            len: 0,
            holds: PhantomData,
        })
    }

    /// As [`Pages::keep_from_clones`].
    ///
    /// # Safety
    /// No process cloned from this one uses or drops the table.
    pub unsafe fn keep_from_clones(&self) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.pages.keep_from_clones() }
    }

    /// Adds one at the end; says where, or gives it back if there is no room.
    pub fn push(&mut self, value: T) -> core::result::Result<usize, T> {
        if self.is_full() {
            return Err(value);
        }
        let index = self.len;
        let start: *mut T = self.pages.address as *mut T;
        // SAFETY: `index` is below the capacity, for which the pages are large enough, and aligned; nothing is there yet
        // that would want to be dropped.
        unsafe { start.wrapping_add(index).write(value) };
        self.len = index.wrapping_add(1);
        Ok(index)
    }

    /// Is there no room left?
    pub fn is_full(&self) -> bool {
        self.len >= self.capacity
    }

    /// What is in it.
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` places have been written by `push`.
        unsafe { core::slice::from_raw_parts(self.pages.address as *const T, self.len) }
    }

    /// What is in it, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.pages.address as *mut T, self.len) }
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        let values: *mut [T] = self.as_mut_slice();
        // SAFETY: each value is dropped once: the table goes right after, and the pages know nothing of values.
        unsafe { core::ptr::drop_in_place(values) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_and_drops_what_it_was_given() {
        struct Counts<'a>(&'a core::cell::Cell<u32>);
        impl Drop for Counts<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let dropped = core::cell::Cell::new(0);
        let mut table = Table::new(3).unwrap();
        for index in 0..3 {
            assert_eq!(table.push(Counts(&dropped)).ok(), Some(index));
        }
        assert!(table.is_full());
        drop(table.push(Counts(&dropped)).err());
        assert_eq!(dropped.get(), 1);
        assert_eq!(table.as_slice().len(), 3);
        drop(table);
        assert_eq!(dropped.get(), 4);
    }
}
