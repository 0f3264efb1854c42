//! The C interface over rocker-client: `librocker_ffi.a` and `librocker_ffi.so`, for `include/lib.h` and
//! `include/rocker_ext.h`. No logic: pointers are checked, one safe function is called, one structure is returned.
//!
//! The header is the law; what this crate declares is compared with it (`ci/header.sh`). No function prints, exits,
//! installs a handler or changes errno. The one thing that is read from the environment is `ROCKER_SOCKET`, and not in a
//! program that runs with more privileges than its caller (`secure_getenv(3)`).
//!
//! # Safety
//! This is the border: what C passes is a pointer to what the header says, or null. Nothing more can be checked.
#![no_std]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod abi;
mod extension;
mod last_failure;
mod options;
mod request;
mod string;

use abi::{ROCKER_ERR, RockerRequest, RockerResult};
use core::ffi::{c_int, c_void};
use options::Options;
use rocker_client::{Callback, Failure, Launched, Stage, guard_name, launch_callback};
use rocker_sys::Errno;

/// A function of the AppMaster's to run as the App.
type App = Option<unsafe extern "C" fn(*mut c_void) -> c_int>;

/// Runs `app(app_args)` in a new sandbox as a child of the caller: see `lib.h`.
///
/// # Safety
/// `req` is null or points to a `RockerRequest` whose pointers are null or strings; `app` may be called with `app_args` in
/// a fork of this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ROCKER_enter_rocker(
    req: *mut RockerRequest,
    app: App,
    app_args: *mut c_void,
) -> RockerResult {
    // SAFETY: the caller's promise.
    match unsafe { launch(req, app, app_args, Options::DEFAULT) } {
        // The pidfds close here: the C structure has no place for them.
        Ok(launched) => RockerResult::of(&launched),
        Err(failure) => RockerResult::failed(&failure),
    }
}

/// Reads a guard's name back: see `lib.h`.
#[unsafe(no_mangle)]
pub extern "C" fn ROCKER_get_guardname(pid: c_int) -> RockerResult {
    match guard_name(pid) {
        Ok(name) => RockerResult {
            err_no: ROCKER_ERR::ROCKER_ERR_success,
            app_pid: -1,
            guard_pid: pid,
            guard_pname: abi::c_chars(&name),
        },
        Err(failure) => RockerResult::failed(&last_failure::set(failure)),
    }
}

/// A request with nothing in it: see `lib.h`.
#[unsafe(no_mangle)]
pub extern "C" fn ROCKER_request_new() -> RockerRequest {
    RockerRequest::new()
}

/// # Safety
/// As [`ROCKER_enter_rocker`].
unsafe fn launch(
    req: *const RockerRequest,
    app: App,
    app_args: *mut c_void,
    options: Options<'_>,
) -> Result<Launched, Failure> {
    let null = Failure::new(Stage::ARGUMENT, Errno::EFAULT.raw());
    // SAFETY: null or a request, by the caller's promise; nobody else changes it during the call.
    let (Some(req), Some(function)) = (unsafe { req.as_ref() }, app) else {
        return Err(last_failure::set(null));
    };
    // SAFETY: its pointers are null or strings, by the caller's promise.
    let request = unsafe { request::read(req, &options) };
    let callback = Callback {
        function,
        argument: app_args,
    };
    // SAFETY: the function may be called in a fork, by the caller's promise.
    let launched = unsafe { launch_callback(request::socket(), &request, callback) };
    // By reference: a sandbox that runs is not small.
    if let Err(failure) = &launched {
        last_failure::set(*failure);
    }
    launched
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // No path leads here: `ci/symbols.sh` proves that the library holds no panic.
    rocker_sys::program::panicked()
}

// Core's prebuilt objects name the personality of unwinding; nothing calls it, since a panic aborts. Written in assembly so
// that it can be hidden (the library exports its interface and nothing else) and weak (a host may have one of its own), where
// Rust has assembly.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64"
))]
core::arch::global_asm!(
    ".weak rust_eh_personality",
    ".hidden rust_eh_personality",
    "rust_eh_personality:"
);

// Where frames are described: in `.debug_frame`, which debuggers read and `strip` removes, and not in `.eh_frame`, which
// every program that links the library would carry, 2.7 KB of it. Nothing unwinds through here at run time: a panic aborts,
// and an exception that leaves the App's callback ends the App (`std::terminate`) instead of running the host's handlers in
// it. The directive holds for one object file, which the library is (`lto = "fat"` in the profile `tiny`).
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64"
))]
core::arch::global_asm!(".cfi_sections .debug_frame");
