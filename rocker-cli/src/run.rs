//! `rocker run`, from the command line to the App's exit status.

use crate::explain::explain;
use crate::message::{name, print, report};
use crate::options::{Mistake, Options};
use crate::own_master::OwnMaster;
use crate::paths::Paths;
use crate::sandbox;
use crate::scratch::{self, Scratch};
use crate::signals::Signals;
use crate::supervise::supervise;
use crate::{FAILED, HELP, USAGE, default_socket};
use core::ffi::{CStr, c_char};
use rocker_client::{Failure, Held, Launched, Request, Stage, launch_tied, limits};
use rocker_sys::program::Program;
use rocker_sys::{Errno, credentials};

/// What shells use if nothing is set.
const DEFAULT_PATH: &CStr = c"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// More variables than anybody has, with the one of ours and the null pointer at the end.
const ENVIRONMENT_MAX: usize = 1024;
/// The name, and a path that a request can hold.
const VARIABLE_MAX: usize = limits::REQUEST_MAX + 32;

/// Where the App finds its package.
const EXEC_DIR_VARIABLE: &[u8] = b"ROCKER_EXEC_DIR=";

type Environment = heapless::Vec<*const c_char, ENVIRONMENT_MAX>;

pub(crate) fn run(program: &Program) -> i32 {
    let options = match options(program, false) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut paths = Paths::default();
    match paths.fill(&options) {
        Ok(()) => run_with(program, &options, &paths),
        Err(mistake) => refuse(&mistake),
    }
}

/// What the command line says, or the exit status for what is no command.
#[inline(never)] // once where there are two callers
pub(crate) fn options(program: &Program, is_exec: bool) -> Result<Options<'static>, i32> {
    match Options::parse(program.arguments(), is_exec) {
        Ok(Some(options)) => Ok(options),
        Ok(None) => Err(print(&[HELP.as_bytes()])),
        Err(mistake) => Err(refuse(&mistake)),
    }
}

fn refuse(Mistake(pieces): &Mistake<'_>) -> i32 {
    report(pieces);
    USAGE
}

fn run_with(program: &Program, options: &Options<'_>, paths: &Paths) -> i32 {
    let Some(signals) = take_signals() else {
        return FAILED;
    };
    let socket = options.socket.unwrap_or_else(|| default_socket(program));
    // Dropped last: the sandbox may still write there.
    let scratch = match Scratch::make(options.exec_dir.is_none(), options.wants_scratch()) {
        Ok(scratch) => scratch,
        Err(errno) => {
            report(&[
                b"cannot make a directory in /run/rocker: ",
                name(errno),
                b"; run this as root, or name others with --exec-dir and --data-dir",
            ]);
            return FAILED;
        }
    };
    let request = request(options, paths, &scratch);
    let mut own = None;
    let mut launched = launch(program, options, socket, &request, &signals);
    if launched.as_ref().is_err_and(is_deserted) && credentials::effective_uid() == 0 {
        let Some(master) = OwnMaster::start(program.environment(), &signals) else {
            return FAILED;
        };
        launched = launch(program, options, master.socket(), &request, &signals);
        own = Some(master);
    }
    match launched {
        // While the connection is held, the sandbox lives: if this command is killed, it goes too.
        Ok((launched, _connection)) => {
            drop(own);
            let status = supervise(&signals, launched.app_pid);
            sandbox::end(&launched, &signals);
            status
        }
        Err(failure) => {
            if let Some(master) = own {
                master.end_after_failure();
            }
            let command = program.arguments().nth(options.command);
            let path = request.path_of(&failure).unwrap_or_default();
            explain(&failure, socket, path, command.unwrap_or_default())
        }
    }
}

pub(crate) fn take_signals() -> Option<Signals> {
    let signals = Signals::block();
    let tell = |errno: &Errno| report(&[b"cannot take signals: ", name(*errno)]);
    signals.inspect_err(tell).ok()
}

/// Is there no master? The file that a dead one has left is as good as none.
fn is_deserted(failure: &Failure) -> bool {
    let errno = Errno::from_raw(failure.errno);
    failure.stage == Stage::CONNECT && matches!(errno, Errno::ENOENT | Errno::ECONNREFUSED)
}

fn request<'a>(options: &Options<'_>, paths: &'a Paths, scratch: &'a Scratch) -> Request<'a> {
    let mut paths = paths.iter();
    let mut next = |other| match paths.next() {
        Some(path) if !path.is_empty() => path,
        _ => other,
    };
    let package = next(c"");
    let exec_dir = next(scratch::EXEC_DIR);
    let data_dir = next(scratch.data_dir());
    let policy = next(c"");
    let mut overlays = [None; limits::OVERLAYS_MAX];
    for (slot, dir) in overlays.iter_mut().zip(paths) {
        *slot = Some(dir);
    }
    Request {
        // `Options` has seen to it that it fits.
        app_id: options.app_id.cast_signed(),
        uid: options.uid,
        gid: options.gid,
        package,
        exec_dir,
        data_dir,
        overlays,
        data: options.data,
        seccomp: options.seccomp,
        policy,
        network: options.network,
        tied: true,
        may_trace: false,
    }
}

#[allow(unsafe_code)]
fn launch(
    program: &Program,
    options: &Options<'_>,
    socket: &CStr,
    request: &Request<'_>,
    signals: &Signals,
) -> Result<(Launched, Held), Failure> {
    let mut variable = heapless::Vec::<u8, VARIABLE_MAX>::new();
    let exec_dir = request.exec_dir.to_bytes_with_nul();
    // It fits: `Paths` is no longer than a request.
    variable
        .extend_from_slice(EXEC_DIR_VARIABLE)
        .unwrap_or_default();
    variable.extend_from_slice(exec_dir).unwrap_or_default();
    let mut environment = Environment::new();
    fill(&mut environment, program, variable.as_ptr().cast())
        .ok_or(Failure::new(Stage::ARGUMENT, Errno::E2BIG.raw()))?;
    let app = command(program, options, environment.as_ptr());
    // SAFETY: the kernel made the argument array; the environment ends with the null pointer that `fill` puts there,
    // and both live as long as this frame.
    unsafe { launch_tied(socket, request, &app, &signals.inherited) }
}

/// The command of this command line, in that environment.
pub(crate) fn command(
    program: &Program,
    options: &Options<'_>,
    envp: *const *const c_char,
) -> rocker_client::Program<'static> {
    rocker_client::Program {
        path: program.arguments().nth(options.command).unwrap_or_default(),
        argv: program.argv_from(options.command),
        envp,
        search: Some(program.variable(b"PATH=").unwrap_or(DEFAULT_PATH)),
        keep: &[],
    }
}

/// This program's environment and one variable more, as execve wants it; `None` if there are too many.
fn fill(list: &mut Environment, program: &Program, more: *const c_char) -> Option<()> {
    for entry in program.environment_entries() {
        if !entry.to_bytes().starts_with(EXEC_DIR_VARIABLE) {
            list.push(entry.as_ptr()).ok()?;
        }
    }
    list.push(more).ok()?;
    list.push(core::ptr::null()).ok()
}
