//! `rocker check`: what this kernel has and lacks, tried out feature by feature.

use crate::message::{name, print, report};
use crate::own_master::{NO_PROGRAM, find_program};
use crate::probes::{Need, PROBES, Probe};
use crate::{FAILED, HELP, USAGE, default_socket};
use core::ffi::CStr;
use core::ptr::null;
use rocker_sys::mount::{MS_PRIVATE, MS_REC, Mount};
use rocker_sys::namespace::{self, CLONE_NEWNS};
use rocker_sys::program::Program;
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::socket::{self, Address};
use rocker_sys::{Fd, Result, credentials, fs, process};

pub(crate) fn check(program: &Program) -> i32 {
    match program.arguments().nth(2).map(CStr::to_bytes) {
        None => check_kernel(program),
        Some(b"--config") if program.arguments().nth(4).is_none() => check_config(program),
        Some(b"--help" | b"-h") => print(&[HELP.as_bytes()]),
        Some(argument) => {
            report(&[b"check takes --config or nothing, not ", argument]);
            USAGE
        }
    }
}

/// The master itself reads the file: so what is found here is what it will say.
#[allow(unsafe_code)]
fn check_config(program: &Program) -> i32 {
    let mut beside = [0; 4096];
    let master = find_program(&mut beside);
    let path = master.unwrap_or_default();
    let file = program.arguments().nth(3);
    let argv = [
        path.as_ptr(),
        c"--check".as_ptr(),
        file.map_or(null(), |_| c"--config".as_ptr()),
        file.map_or(null(), CStr::as_ptr),
        null(),
    ];
    // SAFETY: both arrays end with a null pointer, and their strings outlive the call.
    unsafe { process::execve(path, argv.as_ptr(), program.environment()) };
    report(&[b"cannot check: ", NO_PROGRAM]);
    FAILED
}

fn check_kernel(program: &Program) -> i32 {
    if credentials::effective_uid() != 0 {
        report(&[b"cannot check as this user: EPERM; run this as root"]);
        return FAILED;
    }
    let mut release = [0; 64];
    let len = process::kernel_release(&mut release).unwrap_or(0);
    print(&[b"kernel  ", release.get(..len).unwrap_or_default(), b"\n"]);
    let usable = cut_off_mounts() && try_all();
    show_cgroups();
    show_master(program);
    let verdict: &[u8] = if usable {
        b"Rocker works here.\n"
    } else {
        b"Rocker does not work here: see what is MISSING above.\n"
    };
    print(&[verdict]);
    i32::from(!usable)
}

/// Everything that is mounted from here on goes with this process. Without that nothing is tried, for it would stay.
fn cut_off_mounts() -> bool {
    let namespace = Probe {
        name: "mount namespaces",
        need: Need::Must,
        try_it: || namespace::unshare(CLONE_NEWNS),
        without: "CONFIG_NAMESPACES; nothing else can be tried without them",
    };
    let private = Probe {
        name: "private mounts",
        need: Need::Must,
        try_it: || {
            let flags = MS_REC | MS_PRIVATE;
            Mount {
                flags,
                ..Mount::default()
            }
            .at(c"/")
        },
        without: "something above this process forbids it: a container, a seccomp filter",
    };
    [namespace, private].iter().all(|step| {
        let result = (step.try_it)();
        if result.is_err() {
            show(step, &result);
        }
        result.is_ok()
    })
}

/// Is everything there that must be, and one kind of package?
fn try_all() -> bool {
    let (mut usable, mut loops, mut packages) = (true, true, false);
    for probe in PROBES {
        if probe.need == Need::Squashfs && !loops {
            continue;
        }
        let result = (probe.try_it)();
        show(probe, &result);
        match probe.need {
            Need::Must => usable &= result.is_ok(),
            Need::Loop => loops = result.is_ok(),
            Need::Squashfs | Need::Erofs => packages |= result.is_ok(),
            Need::Better => {}
        }
        if probe.need == Need::Loop && !loops {
            print(&[b"unknown squashfs: it takes a loop device to try\n"]);
        }
    }
    usable && loops && packages
}

fn show(probe: &Probe, result: &Result<()>) {
    let feature = probe.name.as_bytes();
    let Err(errno) = result else {
        print(&[b"ok      ", feature, b"\n"]);
        return;
    };
    let tag: &[u8] = match probe.need {
        Need::Must | Need::Loop => b"MISSING ",
        _ => b"without ",
    };
    let without = probe.without.as_bytes();
    print(&[tag, feature, b": ", name(*errno), b" (", without, b")\n"]);
}

fn show_cgroups() {
    let is_there = |path| fs::open(path, O_RDONLY).is_ok();
    let kind: &[u8] = if is_there(c"/sys/fs/cgroup/cgroup.controllers") {
        b"version 2"
    } else if is_there(c"/sys/fs/cgroup/memory") {
        b"version 1"
    } else {
        b"none mounted"
    };
    print(&[b"info    cgroups: ", kind, b"\n"]);
}

fn show_master(program: &Program) {
    let path = default_socket(program);
    let connected = connect(path);
    match connected {
        Ok(_) => print(&[b"info    a master serves at ", path.to_bytes(), b"\n"]),
        Err(errno) => print(&[
            b"info    no master at ",
            path.to_bytes(),
            b": ",
            name(errno),
            b"\n",
        ]),
    };
}

fn connect(path: &CStr) -> Result<Fd> {
    let connection = socket::new()?;
    socket::connect(connection.raw(), &Address::new(path)?)?;
    Ok(connection)
}
