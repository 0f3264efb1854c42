//! From C's `RockerRequest` to the client's `Request`.

use crate::abi::RockerRequest;
use crate::options::Options;
use crate::string::string;
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
