//! Strings of C.

use core::ffi::{CStr, c_char};

/// `None` for a null pointer.
///
/// # Safety
/// Null or a string, which lives and stays unchanged as long as the result.
#[inline(never)]
pub(crate) unsafe fn string<'a>(pointer: *const c_char) -> Option<&'a CStr> {
    if pointer.is_null() {
        return None;
    }
    let mut end = pointer;
    // SAFETY: a string by the caller's promise, and no byte before this one was its NUL. Volatile, or the compiler makes it
    // strlen(3): to import that takes more than to do it.
    while unsafe { end.read_volatile() } != 0 {
        // SAFETY: its NUL is still to come.
        end = unsafe { end.add(1) };
    }
    let len = end.addr().wrapping_sub(pointer.addr());
    // SAFETY: as many bytes as were looked at, with the NUL.
    let bytes = unsafe { core::slice::from_raw_parts(pointer.cast(), len.wrapping_add(1)) };
    // SAFETY: the last one is the only NUL.
    Some(unsafe { CStr::from_bytes_with_nul_unchecked(bytes) })
}
