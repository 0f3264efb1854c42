//! Executing a program as the App, without copying the host: the child borrows the host's memory until it executes, so a
//! launch costs the same from a host of any size.
//!
//! # Safety
//! The child shares every byte of the host. It works on a stack of its own, reads what `Child` points to, and writes
//! nothing but `Child::failure`.
#![allow(unsafe_code)]

use crate::connect::{self, Ready, TIMEOUT_MS};
use crate::filter::Filter;
use crate::held::Held;
use crate::identity::Identity;
use crate::tie::Tie;
use crate::{Launched, dumpable, join, middle, pid_namespace};
use core::ffi::{CStr, c_char, c_void};
use rocker_proto::{At, Failure, Request, Stage};
use rocker_sys::process;
use rocker_sys::signal::{self, SIGCHLD, SigSet};
use rocker_sys::{Errno, RawFd, close_on_exec_from, credentials, fs, time, vfork};

/// What the App executes.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The file, as the sandbox sees it; relative paths start at `/`.
    pub path: &'a CStr,
    /// Its arguments: an array of C strings that ends with a null pointer.
    pub argv: *const *const c_char,
    /// Its environment, likewise.
    pub envp: *const *const c_char,
    /// If the path has no slash: where to look for it, as in `$PATH`.
    pub search: Option<&'a CStr>,
    /// Descriptors that it inherits besides 0, 1 and 2. All others are closed.
    pub keep: &'a [RawFd],
}

/// What parent and child share.
struct Child<'a> {
    ready: &'a Ready,
    identity: Identity,
    filter: &'a Filter,
    program: &'a Program<'a>,
    mask: SigSet,
    /// If the App is to end with the host.
    tie: Option<Tie>,
    /// The child writes it when a step has failed, and nothing else.
    failure: Option<Failure>,
    /// The App's process id, noted by the kernel, and whether the App has executed or ended: if not this process makes the
    /// App.
    app_pid: i32,
    is_done: bool,
}

/// Executes `program` in a new sandbox as a child of this process.
///
/// Signal dispositions are reset to their defaults, the caller's signal mask is kept.
///
/// # Safety
/// `argv` and `envp` are arrays of C strings that end with a null pointer, which nobody changes meanwhile.
///
/// # Errors
/// The stage, the errno and the index of what failed; nothing is left behind.
pub unsafe fn launch_program(
    socket: &CStr,
    request: &Request<'_>,
    program: &Program<'_>,
) -> Result<Launched, Failure> {
    // SAFETY: the caller's promise.
    let launched = unsafe { launch(socket, request, program, None) };
    launched.map(|(launched, _)| launched)
}

/// As [`launch_program`], for a command that stands for its App: the App starts with `mask` instead of the caller's own,
/// which the command has changed already so as to lose no signal, and the kernel kills the App if the calling thread ends
/// first (`PR_SET_PDEATHSIG`), however it ends. The sandbox is tied, if the request says so, to the connection, which comes
/// second.
///
/// # Safety
/// As [`launch_program`].
///
/// # Errors
/// As [`launch_program`].
pub unsafe fn launch_tied(
    socket: &CStr,
    request: &Request<'_>,
    program: &Program<'_>,
    mask: &SigSet,
) -> Result<(Launched, Held), Failure> {
    // SAFETY: the caller's promise.
    unsafe { launch(socket, request, program, Some(mask)) }
}

/// # Safety
/// As [`launch_program`].
unsafe fn launch(
    socket: &CStr,
    request: &Request<'_>,
    program: &Program<'_>,
    tied: Option<&SigSet>,
) -> Result<(Launched, Held), Failure> {
    for fd in program.keep {
        // Before there are descriptors of the library: a wrong number must not turn out to be one of them.
        fs::fstat(*fd).at(Stage::ARGUMENT)?;
    }
    let deadline_ms = time::monotonic_ms().saturating_add(TIMEOUT_MS);
    let mut ready = connect::ask_for(socket, request, deadline_ms)?;
    let mut filter = Filter::NONE;
    // Before the signals are blocked, and before there is a child that nobody would have heard of.
    let waited = filter.wait(&ready, request).at(Stage::ANSWER);
    ready.settle(waited)?;
    // SAFETY: the caller's promise.
    let app_pid = unsafe { start(&ready, Identity::of(request), &filter, program, tied) }?;
    let launched = ready.launched(app_pid, pid_namespace::pidfd_of(app_pid));
    Ok((launched, ready.connection))
}

/// Executes it in a sandbox that is ready; gives its process id.
///
/// # Safety
/// As [`launch_program`].
#[inline(never)] // once where there are two callers
pub(crate) unsafe fn start(
    ready: &Ready,
    identity: Identity,
    filter: &Filter,
    program: &Program<'_>,
    tied: Option<&SigSet>,
) -> Result<i32, Failure> {
    let tie = tied.map(|_| Tie::new()).transpose().at(Stage::PLUMBING)?;
    // A handler that ran in the child would run on the host's data.
    let mask = signal::set_mask(&SigSet::full()).at(Stage::PLUMBING)?;
    let mut shared = Child {
        ready,
        identity: identity.until_exec(),
        filter,
        program,
        mask: *tied.unwrap_or(&mask),
        tie,
        failure: None,
        app_pid: 0,
        is_done: false,
    };
    let argument = &raw mut shared;
    // SAFETY: `shared` outlives it: the parent sleeps until then. Every signal is blocked.
    let spawn = || dumpable::keep(|| unsafe { spawn(argument) });
    let spawned = pid_namespace::born_inside(ready, spawn);
    // Back to what it was a moment ago: it cannot fail.
    signal::set_mask(&mask).unwrap_or(mask);
    let app_pid = spawned?;
    // The compiler has not seen the child write: it gave the address away, so it must look.
    match core::hint::black_box(&shared).failure {
        None => Ok(app_pid),
        Some(failure) => {
            pid_namespace::bury(app_pid);
            Err(failure)
        }
    }
}

/// Makes the App, and sleeps until it has executed its program or ended; gives its id, or 0 if it was never born.
///
/// # Safety
/// The argument outlives the call, in which nobody else uses it; every signal is blocked.
unsafe fn spawn(argument: *mut Child<'_>) -> Result<i32, Failure> {
    let mut stack = vfork::Stack::new().at(Stage::FORK)?;
    let is_middle = middle::is_needed();
    let (exit_signal, entry): (_, vfork::Entry) = if is_middle {
        (0, run_middle)
    } else {
        (SIGCHLD, run)
    };
    // SAFETY: both leave by execve or exit, and write only to the argument. What they run on is dropped below, when none
    // of them runs there any more.
    let spawned = unsafe { stack.spawn(exit_signal, entry, argument.cast()) };
    let pid = spawned.at(Stage::FORK)?;
    if !is_middle {
        return Ok(pid);
    }
    pid_namespace::reap(pid);
    // SAFETY: the caller's promise, and this process is gone.
    let child = unsafe { &*argument };
    if child.app_pid != 0 {
        if !child.is_done {
            // Somebody has killed the process in the middle, while the App may still use the host's memory.
            pid_namespace::bury(child.app_pid);
        } else if child.failure.is_some() || process::reap_unexecuted(child.app_pid).is_err() {
            return Ok(child.app_pid);
        }
        // Else it was killed before it executed. It had no exit signal, by which the host could have waited for it.
    }
    Err(child
        .failure
        .unwrap_or(Failure::of(Stage::JOIN, Errno::ECONNRESET)))
}

/// The process in the middle.
unsafe extern "C" fn run_middle(argument: *mut c_void) -> ! {
    let child = argument.cast::<Child<'_>>();
    // SAFETY: `spawn` passes a `Child` that outlives this process's use of it.
    let ready = unsafe { (*child).ready };
    let entered = middle::enter(ready).at(Stage::JOIN_PID).and_then(|()| {
        // SAFETY: as above; the place is for nothing else.
        let app_pid = unsafe { &raw mut (*child).app_pid };
        // SAFETY: as in `spawn`; this process runs on the same stack, and so sleeps meanwhile.
        unsafe { vfork::spawn_sibling(run, argument, app_pid) }.at(Stage::FORK)
    });
    if let Err(failure) = entered {
        // SAFETY: there is no App that could write it too.
        unsafe { (*child).failure = Some(failure) };
    }
    // SAFETY: this process alone writes it.
    unsafe { (*child).is_done = true };
    process::exit(0)
}

/// The child, on its own stack.
unsafe extern "C" fn run(argument: *mut c_void) -> ! {
    let argument = argument.cast::<Child<'_>>();
    // SAFETY: `launch_program` passes a `Child` that outlives this process's use of it, and sleeps meanwhile.
    let child = unsafe { &*argument };
    let failure = match enter(child) {
        Ok(()) => execute(child.program),
        Err(failure) => failure,
    };
    // SAFETY: as above; `child` is not used any more, and the parent looks only when this process is gone.
    unsafe { (*argument).failure = Some(failure) };
    process::exit(127)
}

fn enter(child: &Child<'_>) -> Result<(), Failure> {
    join::join(child.ready, child.identity, child.filter)?;
    child.tie.as_ref().map_or(Ok(()), tie_to)?;
    close_on_exec_from(3, child.program.keep).at(Stage::PLUMBING)?;
    // SAFETY: without CLONE_SIGHAND the table of handlers is this process's own.
    unsafe { signal::reset_handlers() };
    signal::set_mask(&child.mask).at(Stage::PLUMBING)?;
    // Last: a policy may refuse what is done before.
    child.filter.install_policy().at(Stage::SECCOMP)
}

/// After the change of identity, which forgets it.
fn tie_to(tie: &Tie) -> Result<(), Failure> {
    credentials::set_parent_death_signal(signal::SIGKILL).at(Stage::PLUMBING)?;
    // SAFETY: this process comes here once; `Held` is the host's.
    unsafe { tie.find_host() }.at(Stage::PLUMBING)
}

/// Comes back only with a failure.
fn execute(program: &Program<'_>) -> Failure {
    let exec = |path: &CStr| {
        // SAFETY: the caller of `launch_program` said so.
        unsafe { process::execve(path, program.argv, program.envp) }
    };
    let errno = match program.search {
        // An empty name is no file: with a directory in front of it, it would be that directory.
        Some(search) if !program.path.is_empty() && !program.path.to_bytes().contains(&b'/') => {
            execute_from(search, program.path, exec)
        }
        _ => exec(program.path),
    };
    Failure::of(Stage::EXEC, errno)
}

/// Tries each directory of the list in turn, as `execvp(3)` does: what is there but cannot be executed counts only if
/// nothing else is found.
fn execute_from(search: &CStr, name: &CStr, exec: impl Fn(&CStr) -> Errno) -> Errno {
    let mut found = Errno::ENOENT;
    for dir in search.to_bytes().split(|byte| *byte == b':') {
        let mut path = [0; 4096];
        let bytes = dir.iter().chain(b"/").chain(name.to_bytes_with_nul());
        if bytes.clone().count() > path.len() {
            continue;
        }
        for (slot, byte) in path.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        let Ok(path) = CStr::from_bytes_until_nul(&path) else {
            continue;
        };
        match exec(path) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            // Found, or in a directory that the App may not search, such as one of root's in an inherited `$PATH`.
            Errno::EACCES if fs::access(path, 0).is_err() => {}
            Errno::EACCES => found = Errno::EACCES,
            errno => return errno,
        }
    }
    found
}
