//! What `rocker_ext.h` adds: why a launch failed, pidfds, and launching a program file.

use crate::abi::{RockerRequest, RockerResult};
use crate::options::{self, RockerOptions};
use crate::string::string;
use crate::{App, last_failure, request};
use core::ffi::{c_char, c_int, c_void};
use rocker_client::{Failure, Held, Launched, NO_INDEX, Program, Stage, launch_program};
use rocker_sys::{Decimal, Errno};

/// `RockerFailure` of `rocker_ext.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RockerFailure {
    /// The step's number; 0 if nothing has failed.
    pub stage: c_int,
    /// Why, as in `errno(3)`.
    pub error: c_int,
    /// Which overlay, which byte of a policy, or -1.
    pub index: c_int,
    /// All of it in words.
    pub text: [c_char; 52],
}

/// `RockerApp` of `rocker_ext.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RockerApp {
    /// As from `ROCKER_enter_rocker`.
    pub result: RockerResult,
    /// The App's pidfd, or -1.
    pub app_pidfd: c_int,
    /// The guard's pidfd, or -1.
    pub guard_pidfd: c_int,
}

/// `RockerProgram` of `rocker_ext.h`.
#[repr(C)]
pub struct RockerProgram {
    /// The file, as the sandbox sees it.
    pub path: *const c_char,
    /// Its arguments.
    pub argv: *const *mut c_char,
    /// Its environment; null for an empty one.
    pub envp: *const *mut c_char,
    /// Descriptors that it keeps besides 0, 1 and 2.
    pub keep_fds: *const c_int,
    /// How many.
    pub keep_fds_len: usize,
}

const _: () = assert!(size_of::<RockerFailure>() == 64 && size_of::<RockerApp>() == 36);

impl RockerApp {
    fn of(outcome: Result<Launched, Failure>) -> Self {
        let raw = |fd: Option<Held>| fd.map_or(-1, |held| held.into_fd().into_raw());
        match outcome {
            Ok(launched) => {
                let result = RockerResult::of(&launched);
                Self {
                    result,
                    app_pidfd: raw(launched.app_pidfd),
                    guard_pidfd: raw(launched.guard_pidfd),
                }
            }
            Err(failure) => Self {
                result: RockerResult::failed(&failure),
                app_pidfd: -1,
                guard_pidfd: -1,
            },
        }
    }
}

/// Why this thread's last launch failed: see `rocker_ext.h`.
#[unsafe(no_mangle)]
pub extern "C" fn ROCKER_last_failure() -> RockerFailure {
    let failure = last_failure::get();
    let index = if failure.index == NO_INDEX {
        -1
    } else {
        failure.index.into()
    };
    RockerFailure {
        stage: failure.stage.raw().into(),
        error: failure.errno,
        index,
        text: describe(&failure),
    }
}

/// `mount-overlay[2]: EINVAL`, cut to what fits with its NUL.
fn describe(failure: &Failure) -> [c_char; 52] {
    let mut text = [0; 52];
    let number = Decimal::of(failure.index.into());
    let [open, index, close]: [&[u8]; 3] = match failure.index {
        NO_INDEX => [b""; 3],
        _ => [b"[", number.as_bytes(), b"]"],
    };
    let errno = Errno::from_raw(failure.errno).name();
    let why: &[u8] = if failure.stage == Stage::READY {
        b""
    } else {
        b": "
    };
    let errno = if failure.stage == Stage::READY {
        ""
    } else {
        errno
    };
    let words = [
        failure.stage.name().as_bytes(),
        open,
        index,
        close,
        why,
        errno.as_bytes(),
    ];
    for (slot, byte) in text.iter_mut().take(51).zip(words.into_iter().flatten()) {
        *slot = *byte as c_char;
    }
    text
}

/// `ROCKER_enter_rocker` with pidfds: see `rocker_ext.h`.
///
/// # Safety
/// As `ROCKER_enter_rocker`; `options` is null or points to as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ROCKER_launch_callback(
    req: *const RockerRequest,
    app: App,
    app_args: *mut c_void,
    options: *const RockerOptions,
) -> RockerApp {
    // SAFETY: the caller's promise.
    let options = unsafe { options::read(options) }.map_err(last_failure::set);
    // SAFETY: the caller's promise.
    let launch = |options| unsafe { crate::launch(req, app, app_args, options) };
    RockerApp::of(options.and_then(launch))
}

/// Executes a program file in a new sandbox: see `rocker_ext.h`.
///
/// # Safety
/// `req` and `options` as for [`ROCKER_launch_callback`]; `program` is null or points to a `RockerProgram` whose arrays end
/// as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ROCKER_launch_program(
    req: *const RockerRequest,
    program: *const RockerProgram,
    options: *const RockerOptions,
) -> RockerApp {
    // SAFETY: the caller's promise.
    RockerApp::of(unsafe { launch(req, program, options) }.map_err(last_failure::set))
}

/// # Safety
/// As [`ROCKER_launch_program`].
unsafe fn launch(
    req: *const RockerRequest,
    program: *const RockerProgram,
    options: *const RockerOptions,
) -> Result<Launched, Failure> {
    let null = Failure::new(Stage::ARGUMENT, Errno::EFAULT.raw());
    // SAFETY: null or a request, by the caller's promise.
    let req = unsafe { req.as_ref() }.ok_or(null)?;
    // SAFETY: null or a program, by the caller's promise.
    let program = unsafe { program.as_ref() }.ok_or(null)?;
    // SAFETY: null or a string, by the caller's promise.
    let path = unsafe { string(program.path) }.ok_or(null)?;
    if program.argv.is_null() || (program.keep_fds.is_null() && program.keep_fds_len > 0) {
        return Err(null);
    }
    let no_environment = [core::ptr::null::<c_char>()];
    let envp = if program.envp.is_null() {
        no_environment.as_ptr()
    } else {
        program.envp.cast()
    };
    let keep: &[c_int] = if program.keep_fds_len == 0 {
        &[]
    } else {
        // SAFETY: not null, and an array of that length by the caller's promise.
        unsafe { core::slice::from_raw_parts(program.keep_fds, program.keep_fds_len) }
    };
    let program = Program {
        path,
        argv: program.argv.cast(),
        envp,
        search: None,
        keep,
    };
    // SAFETY: the caller's promise.
    let options = unsafe { options::read(options) }?;
    // SAFETY: its pointers are null or strings, by the caller's promise.
    let request = unsafe { request::read(req, &options) };
    // SAFETY: both arrays end with a null pointer, by the caller's promise.
    unsafe { launch_program(request::socket(), &request, &program) }
}
