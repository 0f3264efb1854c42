//! Launching Rust closures as Apps.

use rocker_client::{Callback, DEFAULT_SOCKET, Failure, Launched, Request, launch_callback};
use std::ffi::{CStr, c_int, c_void};
use std::fs;
use std::io::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an App does. What it returns is its exit status; a panic is status 101, with its message on standard error.
pub type App<'a> = &'a dyn Fn() -> i32;

/// The launch that most cases start from: [`crate::package()`] mounted at `/run/exec`, data in `/run/data`, both of which it
/// makes, `/etc` overlaid, uid and gid 1000.
pub fn request() -> Request<'static> {
    crate::package();
    fs::create_dir_all("/run/exec").unwrap();
    fs::create_dir_all("/run/data").unwrap();
    let mut overlays = [None; 16];
    overlays[0] = Some(c"/etc");
    Request {
        app_id: 7,
        uid: 1000,
        gid: 1000,
        package: c"/run/app.sqfs",
        exec_dir: c"/run/exec",
        data_dir: c"/run/data",
        overlays,
        ..Request::DEFAULT
    }
}

/// Runs a closure as an App, by the master at the usual place.
pub fn launch(request: &Request<'_>, app: App<'_>) -> Result<Launched, Failure> {
    let callback = Callback {
        function: run,
        argument: (&raw const app).cast_mut().cast(),
    };
    // SAFETY: `run` reads the closure from its own copy of this frame; the case's process has one thread, unless it makes
    // more and knows what its App may do.
    unsafe { launch_callback(DEFAULT_SOCKET, request, callback) }
}

/// Runs a function as an App, by the master at this socket: from any thread, which a closure that may allocate cannot be.
/// After the fork of one thread another may have held the allocator's lock.
pub fn launch_function(
    socket: &CStr,
    request: &Request<'_>,
    function: extern "C" fn(*mut c_void) -> c_int,
) -> Result<Launched, Failure> {
    let callback = Callback {
        function,
        argument: std::ptr::null_mut(),
    };
    // SAFETY: a function that is safe to call reads nothing by its argument.
    unsafe { launch_callback(socket, request, callback) }
}

unsafe extern "C" fn run(app: *mut c_void) -> c_int {
    // SAFETY: `launch` passes a pointer to its `App`, which the fork has copied.
    let app = unsafe { *app.cast::<App<'_>>() };
    catch_unwind(AssertUnwindSafe(app)).unwrap_or(101)
}

/// Waits for a child; gives its exit status, or 128 and the number of the signal that ended it.
pub fn wait_for(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the status is written to our variable.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(waited, pid, "waitpid: {}", Error::last_os_error());
    if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    }
}
