//! From C's `RockerRequest` to the client's `Request`.

use crate::abi::RockerRequest;
use crate::options::Options;
use core::ffi::{CStr, c_char, c_int};
use rocker_client::{DEFAULT_SOCKET, Request, limits};

unsafe extern "C" {
    /// `secure_getenv(3)`, of glibc and musl alike.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// Borrows a request. What is missing or out of range is passed on as it is: the master refuses it by name, in its log.
///
/// # Safety
/// The pointers are null or strings, which live and stay unchanged as long as the result.
pub(crate) unsafe fn read<'a>(req: &RockerRequest, options: &Options<'a>) -> Request<'a> {
    // SAFETY: null or a string, by the caller's promise.
    let text = |pointer| unsafe { string(pointer) }.unwrap_or_default();
    // First, so that the request is put together in one piece.
    let mut overlays = [None; limits::OVERLAYS_MAX];
    for (slot, pointer) in overlays.iter_mut().zip(&req.app_overlay_dirs) {
        // SAFETY: as above.
        *slot = unsafe { string(*pointer) };
    }
    Request {
        app_id: req.app_id,
        uid: id(req.uid),
        gid: id(req.gid),
        package: text(req.app_pkg_path),
        exec_dir: text(req.app_exec_dir),
        data_dir: text(req.app_data_dir),
        overlays,
        data: options.data,
        seccomp: options.seccomp,
        policy: options.policy.unwrap_or_default(),
        network: options.network,
        tied: false,
        may_trace: false,
    }
}

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

/// Ids are signed in C; a negative one is no id, and neither is the largest of the kernel's, which the master refuses.
fn id(number: c_int) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Where the master is: `$ROCKER_SOCKET`, or the usual place.
pub(crate) fn socket<'a>() -> &'a CStr {
    // SAFETY: the name is a string.
    let value = unsafe { secure_getenv(c"ROCKER_SOCKET".as_ptr()) };
    // SAFETY: null or a string of the environment. That nobody calls setenv meanwhile is C's own rule (getenv(3)).
    unsafe { string(value) }.unwrap_or(DEFAULT_SOCKET)
}
