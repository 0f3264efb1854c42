//! Running a function of the host as the App, in a fork of the host.
//!
//! # Safety
//! fork(3) and what the child does before the callback are the only unsafe steps here.
#![allow(unsafe_code)]

use crate::connect::{self, Ready, TIMEOUT_MS};
use crate::filter::Filter;
use crate::held::{self, Held};
use crate::tie::Tie;
use crate::{Launched, join, pid_namespace};
use core::ffi::{CStr, c_int, c_void};
use rocker_proto::{At, Failure, Report, Request, Stage};
use rocker_sys::signal::{self, SIGKILL, SigSet};
use rocker_sys::{Errno, credentials, process, socket, time};

/// How long the guard's word may be on the way, in milliseconds.
const WORD_MS: u64 = 1000;

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
    let mut ready = connect::ask_for(socket, request, deadline_ms);
    // By reference: it is not small.
    let ready = ready.as_mut().map_err(|failure| *failure)?;
    let tie = Tie::new().at(Stage::PLUMBING)?;
    socket::pass_credentials(tie.host.raw()).at(Stage::PLUMBING)?;
    // No handler of the host may run in the child before it is an unprivileged one.
    let mut mask = SigSet::full();
    signal::swap_mask(&mut mask).at(Stage::PLUMBING)?;
    let app = App {
        ready,
        request,
        tie: &tie,
        mask,
        callback,
    };
    let make_child = || match fork() {
        // SAFETY: this is the fork; nothing of the library's is used after it but what `run` does itself.
        Ok(0) => unsafe { app.run() },
        result => result.at(Stage::FORK),
    };
    let child = pid_namespace::born_inside(ready, make_child);
    // Back to what it was a moment ago: it cannot fail.
    signal::swap_mask(&mut mask).unwrap_or_default();
    drop(tie.child);
    let mut app_pid = 0;
    let joined = child.and_then(|child| {
        app_pid = child;
        let heard = hear_app(&tie.host, deadline_ms, &mut app_pid);
        if app_pid != child {
            // The process in the middle, which has nothing left to do.
            pid_namespace::bury(child);
        }
        if heard.is_err() {
            pid_namespace::bury(app_pid);
        }
        heard
    });
    if app_pid == 0 {
        // Perhaps because of the guard: then its word is there, or on the way.
        ready.deadline_ms = time::monotonic_ms().saturating_add(WORD_MS);
    }
    ready.settle(joined)?;
    Ok(ready.launched(app_pid, pid_namespace::pidfd_of(app_pid)))
}

/// libc's fork, which runs the host's atfork handlers and repairs libc's own locks; 0 in the child. It is the only thing
/// here that touches errno, so it is put back.
fn fork() -> Result<i32, Errno> {
    // SAFETY: no argument, no effect; the address is this thread's own errno's, in the child too.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: valid for as long as the thread.
    let before = unsafe { *errno };
    // SAFETY: the child leaves by `App::run`. Other threads' locks are the caller's concern, as documented.
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

/// What the child must know.
struct App<'a> {
    ready: &'a Ready,
    request: &'a Request<'a>,
    tie: &'a Tie,
    mask: SigSet,
    callback: Callback,
}

impl App<'_> {
    /// The child: enters the sandbox, tells the parent, gives up everything of the library's, runs the function.
    ///
    /// # Safety
    /// Runs in the fork, once.
    unsafe fn run(&self) -> ! {
        // SAFETY: the caller's promise.
        if unsafe { self.end_with_host() }.is_err() {
            process::exit(127);
        }
        let mut filter = Filter::NONE;
        // SAFETY: the fork has one thread, and of it and its copy neither drops what matters to the other.
        let joined = unsafe { join::join_forked(self.ready, self.request, &mut filter) };
        let report = joined.err().map_or(Report::reached(Stage::READY), Report);
        // Nothing goes along: of a user with many descriptors on the way the kernel takes no more (ETOOMANYREFS, unix(7)), and
        // who runs here is the App's user by now.
        let told = socket::send(self.tie.child.raw(), &report.encode(), &[]);
        if joined.is_err() || told.is_err() {
            // The parent has been told why.
            process::exit(127);
        }
        // SAFETY: one thread, and nothing below uses a descriptor of the library.
        unsafe { held::close_all() };
        // Back to what the parent had: it cannot fail.
        let mut mask = self.mask;
        signal::swap_mask(&mut mask).unwrap_or_default();
        // A policy may refuse what is done above. The parent has been told, so what remains is to end: the guard has seen
        // that the kernel has filters, so it must be out of memory.
        if filter.install_policy().is_err() {
            process::exit(127);
        }
        let Callback { function, argument } = self.callback;
        // SAFETY: the caller of `launch_callback` said so.
        process::exit(unsafe { function(argument) })
    }

    /// Until the change of identity, which takes it back (`prctl(2)`): nobody else could want this App.
    ///
    /// # Safety
    /// Runs in the fork, once.
    unsafe fn end_with_host(&self) -> Result<(), Errno> {
        // Who may not ask for it fails below, at what matters more.
        credentials::set_parent_death_signal(SIGKILL).unwrap_or_default();
        // The table goes on naming the host's end, and it is closed again with the rest: what may have had the number
        // meanwhile, this process's pidfd, is closed by then.
        // SAFETY: the caller's promise; nothing is dropped in the fork.
        unsafe { self.tie.find_host() }
    }
}

/// Waits for the App's word that it is inside. If a process in the middle makes the App, that one tells its process id:
/// should the App die without a word, somebody must take it off the table.
fn hear_app(status: &Held, deadline_ms: u64, app_pid: &mut i32) -> Result<(), Failure> {
    let died = |errno| Failure::of(Stage::JOIN, errno);
    loop {
        time::wait_readable(status.raw(), deadline_ms).map_err(&died)?;
        let mut bytes = [0; Report::SIZE];
        let came = held::receive(status.raw(), &mut bytes, &mut []).map_err(&died)?;
        // A longer one does not come here.
        let whole = came.len == bytes.len();
        // None: it died without a word, killed, with its guard perhaps.
        let Report(report) = Report::decode(&bytes)
            .filter(|_| whole)
            .ok_or(died(Errno::ECONNRESET))?;
        if report.stage == Stage::CLONE {
            *app_pid = report.errno;
            continue;
        }
        *app_pid = came.sender;
        return match report.stage {
            Stage::READY => Ok(()),
            _ => Err(report),
        };
    }
}
