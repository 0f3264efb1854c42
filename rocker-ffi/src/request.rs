//! From C's `RockerRequest` to the client's `Request`.

use crate::abi::RockerRequest;
use core::ffi::{CStr, c_char, c_int};
use rocker_client::{DEFAULT_SOCKET, Data, Request};

unsafe extern "C" {
    /// `secure_getenv(3)`, of glibc and musl alike.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// Borrows a request. What is missing or out of range is passed on as it is: the master refuses it by name, in its log.
///
/// # Safety
/// The pointers are null or strings, which live and stay unchanged as long as the result.
pub(crate) unsafe fn read<'a>(req: &RockerRequest, data: Data) -> Request<'a> {
    // SAFETY: null or a string, by the caller's promise.
    let string =
        |pointer: *mut c_char| (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) });
    Request {
        app_id: req.app_id,
        uid: id(req.uid),
        gid: id(req.gid),
        package: string(req.app_pkg_path).unwrap_or_default(),
        exec_dir: string(req.app_exec_dir).unwrap_or_default(),
        data_dir: string(req.app_data_dir).unwrap_or_default(),
        overlays: req.app_overlay_dirs.map(string),
        data,
    }
}

/// Ids are signed in C; a negative one is no id, and neither is the largest of the kernel's, which the master refuses.
fn id(number: c_int) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Where the master is: `$ROCKER_SOCKET`, or the usual place.
pub(crate) fn socket<'a>() -> &'a CStr {
    // SAFETY: the name is a string.
    let value = unsafe { secure_getenv(c"ROCKER_SOCKET".as_ptr()) };
    if value.is_null() {
        return DEFAULT_SOCKET;
    }
    // SAFETY: not null, so a string of the environment. That nobody calls setenv meanwhile is C's own rule (getenv(3)).
    unsafe { CStr::from_ptr(value) }
}
