//! Running a function of the host as the App, in a fork of the host.
//!
//! # Safety
//! fork(3) and what the child does before the callback are the only unsafe steps here.
#![allow(unsafe_code)]

use crate::connect::{self, Ready, TIMEOUT_MS};
use crate::filter::Filter;
use crate::held::{self, Held};
use crate::{Launched, at, join, pid_namespace};
use core::ffi::{CStr, c_int, c_void};
use rocker_proto::{Failure, Report, Request, Stage};
use rocker_sys::signal::{self, SigSet};
use rocker_sys::{Errno, Fd, RawFd, process, socket, time};

/// What the App does: a C function and its argument. Its result is the App's exit status.
#[derive(Clone, Copy, Debug)]
pub struct Callback {
    /// The function.
    pub function: unsafe extern "C" fn(*mut c_void) -> c_int,
    /// Its argument.
    pub argument: *mut c_void,
}

/// Runs `callback` in a new sandbox, in a fork of this process.
///
/// Like any fork of a process with threads, the child has only the calling thread, and locks that other threads held stay
/// locked in it: what the function calls must not need them, unless fork's own handlers (`pthread_atfork(3)`) look after
/// them, as libc does for malloc. Buffers of stdio are not flushed and atexit handlers do not run when it ends.
///
/// # Safety
/// The function may be called with the argument in a fork of this process.
///
/// # Errors
/// The stage, the errno and the index of what failed; nothing is left behind.
pub unsafe fn launch_callback(
    socket: &CStr,
    request: &Request<'_>,
    callback: Callback,
) -> Result<Launched, Failure> {
    let deadline_ms = time::monotonic_ms().saturating_add(TIMEOUT_MS);
    let mut ready = connect::ask(socket, request, deadline_ms);
    // By reference: it is not small.
    let ready = ready.as_mut().map_err(|failure| *failure)?;
    let (ours, theirs) = held::section(|section| {
        let (ours, theirs) = socket::pair()?;
        Ok((section.hold(ours), section.hold(theirs)))
    })
    .map_err(at(Stage::PLUMBING))?;
    // No handler of the host may run in the child before it is an unprivileged one.
    let mask = signal::set_mask(&SigSet::full()).map_err(at(Stage::PLUMBING))?;
    let child = pid_namespace::born_inside(ready, || match fork() {
        // SAFETY: this is the fork; nothing of the library's is used after it but what `run_app` does itself.
        Ok(0) => unsafe { run_app(ready, request, &theirs, &mask, callback) },
        result => result.map_err(at(Stage::FORK)),
    });
    // Back to what it was a moment ago: it cannot fail.
    signal::set_mask(&mask).unwrap_or(mask);
    let app_pid = child?;
    drop(theirs);
    match hear_child(&ours, deadline_ms) {
        Ok(app_pidfd) => Ok(ready.launched(app_pid, app_pidfd)),
        Err(failure) => {
            pid_namespace::bury(app_pid);
            Err(failure)
        }
    }
}

/// libc's fork, which runs the host's atfork handlers and repairs libc's own locks; 0 in the child. It is the only thing
/// here that touches errno, so it is put back.
fn fork() -> Result<i32, Errno> {
    // SAFETY: no argument, no effect; the address is this thread's own errno's, in the child too.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: valid for as long as the thread.
    let before = unsafe { *errno };
    // SAFETY: the child leaves by `run_app`. Other threads' locks are the caller's concern, as documented.
    let pid = held::section(|_| unsafe { libc::fork() });
    // SAFETY: as above.
    let why = unsafe { *errno };
    // SAFETY: as above, and nobody else has a reference to it.
    unsafe { *errno = before };
    if pid == -1 {
        return Err(Errno::from_raw(why));
    }
    Ok(pid)
}

/// The child: enters the sandbox, tells the parent, gives up everything of the library's, runs the function.
///
/// # Safety
/// Runs in the fork, once.
unsafe fn run_app(
    ready: &Ready,
    request: &Request<'_>,
    status: &Held,
    mask: &SigSet,
    callback: Callback,
) -> ! {
    let mut filter = Filter::NONE;
    let told = match join::join(ready, request, &mut filter) {
        Ok(pidfd) => {
            let pidfd = pidfd.as_ref().map(Fd::raw);
            tell(status, &Report::reached(Stage::READY), pidfd)
        }
        Err(failure) => tell(status, &Report(failure), None).and(Err(Errno::ECANCELED)),
    };
    if told.is_err() {
        // The parent has been told why, or is gone.
        process::exit(127);
    }
    // SAFETY: one thread, and nothing below uses a descriptor of the library.
    unsafe { held::close_all() };
    // Back to what the parent had: it cannot fail.
    signal::set_mask(mask).unwrap_or(*mask);
    // Last, because a policy may refuse what is done above. The parent has been told, so what remains is to end: the guard
    // has seen that the kernel has filters, so it must be out of memory.
    if filter.install().is_err() {
        process::exit(127);
    }
    // SAFETY: the caller of `launch_callback` said so.
    process::exit(unsafe { (callback.function)(callback.argument) })
}

fn tell(status: &Held, report: &Report, pidfd: Option<RawFd>) -> Result<(), Errno> {
    socket::send(status.raw(), &report.encode(), pidfd.as_slice())
}

/// Waits for the child's word that it is inside; with it comes its pidfd.
fn hear_child(status: &Held, deadline_ms: u64) -> Result<Option<Held>, Failure> {
    let died = at(Stage::JOIN);
    time::wait_readable(status.raw(), deadline_ms).map_err(&died)?;
    let mut bytes = [0; Report::SIZE];
    let mut pidfd = [None];
    let came = held::receive(status.raw(), &mut bytes, &mut pidfd).map_err(&died)?;
    // A longer one does not come here.
    let whole = came.len == bytes.len();
    match Report::decode(&bytes).filter(|_| whole) {
        Some(Report(Failure {
            stage: Stage::READY,
            ..
        })) => {
            let [pidfd] = pidfd;
            Ok(pidfd)
        }
        Some(Report(failure)) => Err(failure),
        // It died without a word: killed, with its guard perhaps.
        None => Err(died(Errno::ECONNRESET)),
    }
}
