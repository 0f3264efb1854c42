//! The memory functions that compiled Rust code calls by name, for programs that link no libc: the compiler's own support
//! library leaves them out on Linux targets.
//!
//! `no_builtins` keeps the compiler from turning the loops below into calls of themselves. Sizes here are a few hundred
//! bytes at most, so the code is small rather than fast.
#![no_std]
#![no_builtins]
#![allow(
    clippy::missing_safety_doc,
    reason = "the contracts are those of the C functions of the same name"
)]

use core::ffi::{c_int, c_void};

/// `memcpy(3)`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(dest: *mut c_void, src: *const c_void, n: usize) -> *mut c_void {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies n bytes forward; the caller owns both ranges. The direction flag is clear by the ABI.
    unsafe {
        core::arch::asm!("rep movsb", inout("rcx") n => _, inout("rdi") dest => _, inout("rsi") src => _,
                         options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    for i in 0..n {
        // SAFETY: i is below n, and the caller owns n bytes at both ends.
        let byte = unsafe { src.cast::<u8>().wrapping_add(i).read() };
        // SAFETY: as above.
        unsafe { dest.cast::<u8>().wrapping_add(i).write(byte) };
    }
    dest
}

/// `memmove(3)`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(dest: *mut c_void, src: *const c_void, n: usize) -> *mut c_void {
    if (dest as usize).wrapping_sub(src as usize) >= n {
        // SAFETY: dest is not inside the source's range, so copying forward reads every byte before it is overwritten.
        return unsafe { memcpy(dest, src, n) };
    }
    let mut i = n;
    while i != 0 {
        i = i.wrapping_sub(1);
        // SAFETY: i is below n, and the caller owns n bytes at both ends.
        let byte = unsafe { src.cast::<u8>().wrapping_add(i).read() };
        // SAFETY: as above.
        unsafe { dest.cast::<u8>().wrapping_add(i).write(byte) };
    }
    dest
}

/// `memset(3)`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(dest: *mut c_void, c: c_int, n: usize) -> *mut c_void {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: writes n bytes forward; the caller owns the range. The direction flag is clear by the ABI.
    unsafe {
        core::arch::asm!("rep stosb", inout("rcx") n => _, inout("rdi") dest => _, in("al") c as u8,
                         options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    for i in 0..n {
        // SAFETY: i is below n, and the caller owns n bytes.
        unsafe { dest.cast::<u8>().wrapping_add(i).write(c as u8) };
    }
    dest
}

/// `memcmp(3)`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    for i in 0..n {
        // SAFETY: i is below n, and the caller owns n bytes at both ends.
        let left = unsafe { a.cast::<u8>().wrapping_add(i).read() };
        // SAFETY: as above.
        let right = unsafe { b.cast::<u8>().wrapping_add(i).read() };
        if left != right {
            return c_int::from(left) - c_int::from(right);
        }
    }
    0
}

/// `bcmp(3)`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, n) }
}

/// `strlen(3)`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(s: *const core::ffi::c_char) -> usize {
    let mut n = 0;
    // SAFETY: every byte up to the NUL is the caller's.
    while unsafe { s.wrapping_add(n).read() } != 0 {
        n = n.wrapping_add(1);
    }
    n
}
