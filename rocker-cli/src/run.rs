//! `rocker run`.

use crate::message::{parse_number, report};
use crate::own_master::OwnMaster;
use crate::scratch::Scratch;
use crate::supervise::supervise;
use crate::{FAILED, USAGE};
use core::ffi::{CStr, c_char};
use rocker_client::{DEFAULT_SOCKET, Failure, Request, Stage, launch_program, limits};
use rocker_sys::Errno;
use rocker_sys::program::Program;

const DEFAULT_EXEC_DIR: &CStr = c"/run/rocker/app";
/// nobody, where there is a name for it.
const DEFAULT_ID: u32 = 65_534;
/// What shells use if nothing is set.
const DEFAULT_PATH: &CStr = c"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// More variables than anybody has; the rest is cut.
const ENVIRONMENT_MAX: usize = 1024;

/// What the command line says.
struct Options<'a> {
    package: &'a CStr,
    uid: u32,
    gid: u32,
    app_id: u32,
    exec_dir: Option<&'a CStr>,
    data_dir: Option<&'a CStr>,
    overlays: heapless::Vec<&'a CStr, { limits::OVERLAYS_MAX }>,
    socket: Option<&'a CStr>,
    /// Which argument is the command.
    command: usize,
}

pub(crate) fn run(program: &Program) -> i32 {
    match parse(program) {
        Ok(options) => run_with(program, &options),
        Err(Mistake(pieces)) => {
            report(&pieces);
            USAGE
        }
    }
}

/// What is wrong with the command line, in three pieces.
struct Mistake<'a>([&'a [u8]; 3]);

fn parse<'a>(program: &Program) -> Result<Options<'a>, Mistake<'a>> {
    let mut arguments = (0..).zip(program.arguments()).skip(2);
    let mut options = Options {
        package: c"",
        uid: DEFAULT_ID,
        gid: DEFAULT_ID,
        app_id: 1,
        exec_dir: None,
        data_dir: None,
        overlays: heapless::Vec::new(),
        socket: None,
        command: 0,
    };
    while let Some((position, argument)) = arguments.next() {
        let name = argument.to_bytes();
        if name == b"--" {
            options.command = position + 1;
            break;
        }
        if !name.starts_with(b"-") {
            if options.package.is_empty() {
                options.package = argument;
                continue;
            }
            options.command = position;
            break;
        }
        let wants = Mistake([name, b" wants a value", b""]);
        let value = || arguments.next().map(|(_, value)| value).ok_or(wants);
        match name {
            b"--uid" => options.uid = number(name, value()?)?,
            b"--gid" => options.gid = number(name, value()?)?,
            b"--app-id" => options.app_id = number(name, value()?)?,
            b"--exec-dir" => options.exec_dir = Some(value()?),
            b"--data-dir" => options.data_dir = Some(value()?),
            b"--overlay" => {
                let dir = value()?;
                options
                    .overlays
                    .push(dir)
                    .map_err(|_| Mistake([b"more than 16 times --overlay", b"", b""]))?;
            }
            b"--socket" => options.socket = Some(value()?),
            _ => return Err(Mistake([b"no such option: ", name, b"; try rocker --help"])),
        }
    }
    if options.package.is_empty() {
        return Err(Mistake([b"run which package? Try rocker --help", b"", b""]));
    }
    if options.command == 0 || program.arguments().nth(options.command).is_none() {
        return Err(Mistake([
            b"run which command in ",
            options.package.to_bytes(),
            b"? Try rocker --help",
        ]));
    }
    Ok(options)
}

fn number<'a>(name: &'a [u8], value: &'a CStr) -> Result<u32, Mistake<'a>> {
    parse_number(value.to_bytes()).ok_or(Mistake([
        name,
        b" wants a number, not ",
        value.to_bytes(),
    ]))
}

fn run_with(program: &Program, options: &Options<'_>) -> i32 {
    let socket = options
        .socket
        .or_else(|| program.variable(b"ROCKER_SOCKET="))
        .unwrap_or(DEFAULT_SOCKET);
    let scratch = match Scratch::make(options.exec_dir.is_none(), options.data_dir.is_none()) {
        Ok(scratch) => scratch,
        Err(errno) => {
            report(&[
                b"cannot make a directory below /run/rocker: ",
                errno.name().as_bytes(),
            ]);
            return FAILED;
        }
    };
    let mut overlays = [None; limits::OVERLAYS_MAX];
    for (slot, dir) in overlays.iter_mut().zip(&options.overlays) {
        *slot = Some(*dir);
    }
    let request = Request {
        // One that does not fit is refused by name, like 0.
        app_id: i32::try_from(options.app_id).unwrap_or(-1),
        uid: options.uid,
        gid: options.gid,
        package: options.package,
        exec_dir: options.exec_dir.unwrap_or(DEFAULT_EXEC_DIR),
        data_dir: options.data_dir.unwrap_or_else(|| scratch.data_dir()),
        overlays,
    };
    // Dropped, and so ended, after the App.
    let master = match OwnMaster::start_if_none(socket, program.environment()) {
        Ok(master) => master,
        Err(errno) => {
            report(&[
                b"no master at ",
                socket.to_bytes(),
                b": start one with `rocker-master` (starting one for this run failed: ",
                errno.name().as_bytes(),
                b")",
            ]);
            return FAILED;
        }
    };
    let socket = master.as_ref().map_or(socket, OwnMaster::socket);
    launch(program, options, socket, &request)
}

#[allow(unsafe_code)]
fn launch(program: &Program, options: &Options<'_>, socket: &CStr, request: &Request<'_>) -> i32 {
    let Some(path) = program.arguments().nth(options.command) else {
        return USAGE;
    };
    let mut variable = heapless::Vec::<u8, 4200>::new();
    let exec_dir = request.exec_dir.to_bytes_with_nul();
    // A request's strings fit 4096 bytes together, or the request is refused below.
    variable
        .extend_from_slice(b"ROCKER_EXEC_DIR=")
        .unwrap_or_default();
    variable.extend_from_slice(exec_dir).unwrap_or_default();
    let environment = environment(program, variable.as_ptr().cast());
    let app = rocker_client::Program {
        path,
        argv: program.argv_from(options.command),
        envp: environment.as_ptr(),
        search: Some(program.variable(b"PATH=").unwrap_or(DEFAULT_PATH)),
        keep: &[],
    };
    // SAFETY: the kernel made the argument array; the environment ends with the null pointer that `environment` puts there,
    // and both live as long as this frame.
    match unsafe { launch_program(socket, request, &app) } {
        Ok(launched) => supervise(&launched),
        Err(failure) => explain(&failure, socket, request, path),
    }
}

/// This program's environment and one variable more, as execve wants it.
fn environment(
    program: &Program,
    more: *const c_char,
) -> heapless::Vec<*const c_char, ENVIRONMENT_MAX> {
    let mut list = heapless::Vec::new();
    for entry in program.environment_entries().take(ENVIRONMENT_MAX - 2) {
        if !entry.to_bytes().starts_with(b"ROCKER_EXEC_DIR=") {
            list.push(entry.as_ptr()).unwrap_or_default();
        }
    }
    list.push(more).unwrap_or_default();
    list.push(core::ptr::null()).unwrap_or_default();
    list
}

/// Says what failed, and where there is one, the way to mend it; gives the exit status.
fn explain(failure: &Failure, socket: &CStr, request: &Request<'_>, command: &CStr) -> i32 {
    let errno = Errno::from_raw(failure.errno);
    let why = errno.name().as_bytes();
    let path = request.path_of(failure).map_or(&b""[..], CStr::to_bytes);
    match failure.stage {
        Stage::EXEC => {
            report(&[b"cannot execute ", command.to_bytes(), b" in the sandbox: ", why]);
            return if errno == Errno::ENOENT { 127 } else { 126 };
        }
        Stage::CONNECT if matches!(errno, Errno::ENOENT | Errno::ECONNREFUSED) => {
            report(&[b"no master at ", socket.to_bytes(), b": start one with `rocker-master`"]);
        }
        Stage::CONNECT if errno == Errno::EACCES => {
            report(&[b"may not talk to the master at ", socket.to_bytes(), b": run this as root"]);
        }
        Stage::PEER => report(&[b"the master does not let this user launch: run this as root"]),
        Stage::LAYER_FS => report(&[
            b"the data directory ",
            path,
            b" lies on an overlayfs, which cannot hold an overlay's changes: choose --data-dir on another file system",
        ]),
        Stage::PACKAGE_FORMAT => report(&[path, b" is not a package: ", package_trouble(errno), b" (", why, b")"]),
        stage => report(&[
            stage.name().as_bytes(),
            if path.is_empty() { b"" } else { b" " },
            path,
            b": ",
            why,
            hint(stage, errno),
        ]),
    }
    FAILED
}

fn package_trouble(errno: Errno) -> &'static [u8] {
    match errno {
        Errno::EMEDIUMTYPE => b"neither squashfs nor erofs",
        Errno::ENODATA => b"it is cut off",
        Errno::EOPNOTSUPP => b"a compression or version that no kernel mounts",
        _ => b"its superblock contradicts itself",
    }
}

fn hint(stage: Stage, errno: Errno) -> &'static [u8] {
    match (stage, errno) {
        (
            Stage::OPEN_PACKAGE | Stage::OPEN_EXEC_DIR | Stage::OPEN_DATA_DIR | Stage::OPEN_OVERLAY,
            Errno::ELOOP,
        ) => b" (a symbolic link that somebody other than root could have made)",
        (
            Stage::PACKAGE_PATH | Stage::EXEC_DIR_PATH | Stage::DATA_DIR_PATH | Stage::OVERLAY_PATH,
            Errno::EINVAL,
        ) => b" (paths are absolute, without `.`, `..` and empty components)",
        (Stage::MOUNT_PACKAGE, Errno::EINVAL | Errno::ENODEV) => {
            b" (this kernel may lack the file system or its compression: see `rocker check`)"
        }
        (Stage::LOOP_DEVICE, Errno::ENOENT) => b" (no /dev/loop-control: see `rocker check`)",
        (Stage::UID | Stage::GID | Stage::APP_ID, _) => b" (ids are above 0)",
        _ => b"",
    }
}
