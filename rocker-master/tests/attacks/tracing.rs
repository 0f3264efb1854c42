//! Looking into privileged processes: an App that is after its guard, and after whoever enters its sandbox.

use crate::entry::{Entry, Step, by_hand, enter};
use crate::loot::{holds, loot_of, unfiltered};
use crate::lurker::{self, Lurker};
use rocker_client::{DEFAULT_SOCKET, Launched, Request, exec_tied, guard_name};
use rocker_sys::signal::SigSet;
use rocker_testing::{Master, binary, launch_function, wait_for, weakened_master};
use std::ffi::{c_int, c_void};
use std::fs::{self, OpenOptions};
use std::ptr::null;

/// Whatever of the guard's `/proc` leads to a program: its content, after a try to write over it.
fn read_programs() -> Vec<u8> {
    let descriptors = (0..64).map(|number| format!("/proc/1/fd/{number}"));
    let paths = [String::from("/proc/1/exe")].into_iter().chain(descriptors);
    let contents = paths.filter_map(|path| {
        drop(OpenOptions::new().write(true).truncate(true).open(&path));
        fs::read(path).ok()
    });
    contents.flatten().collect()
}

/// CVE-2019-5736: what runs on the host with privileges is reached by `/proc/1/exe`.
pub fn s02_program_of_the_master() {
    let program = binary("rocker-master");
    let before = fs::read(&program).unwrap();
    {
        let _master = Master::start();
        let loot = loot_of(&unfiltered(), Entry::Library, &read_programs);
        assert!(!holds(&loot, &before[..64]));
        assert!(fs::read(&program).unwrap() == before);
    }
    let _master = Master::start_without("not-dumpable");
    let loot = loot_of(&unfiltered(), Entry::Library, &read_programs);
    assert!(loot == fs::read(weakened_master()).unwrap(), "the control");
}

/// How many times somebody enters the lurker's sandbox.
const ENTRIES: u32 = 2_000;

extern "C" fn be_there(_: *mut c_void) -> c_int {
    lurker::linger();
    0
}

/// Enters a sandbox in which somebody waits already, by the library: a false master of root's gives it that guard.
fn enter_by_library(request: &Request<'_>) -> Launched {
    launch_function(lurker::DOOR, request, be_there).unwrap()
}

/// CVE-2016-9962: who enters a sandbox is a privileged process in it for a moment, and has the AppMaster's memory and
/// descriptors.
pub fn s05_entering_processes() {
    let _master = Master::start();
    let request = unfiltered();
    let lurker = Lurker::start(|app| enter(&request, Entry::Library, app).guard_pid);
    for _ in 0..ENTRIES {
        assert_eq!(wait_for(enter_by_library(&request).app_pid), 0);
    }
    let (met, loot) = lurker.end();
    // How many depends on who else wants the processors.
    assert!(met > ENTRIES / 40, "the attacker met {met} of {ENTRIES}");
    assert_eq!(loot, "");

    let mut loot = String::new();
    let has_all = |loot: &str| {
        ["readv", "mem", "getfd"]
            .iter()
            .all(|way| loot.contains(way))
    };
    // Which way the attacker finds open depends on when it comes.
    for _ in 0..10 {
        if !has_all(&loot) {
            loot += &loot_of_careless_ones(&request);
        }
    }
    assert!(has_all(&loot), "the control: {loot}");
}

/// The same for who comes later, by the way that is made for it: not a byte of the command that stands for the program.
pub fn s05_programs_that_enter_later() {
    let _master = Master::start();
    let mut guard = 0;
    let lurker = Lurker::start(|app| {
        guard = enter(&unfiltered(), Entry::Library, app).guard_pid;
        guard
    });
    let name = guard_name(guard).unwrap();
    let argv = [c"/bin/true".as_ptr(), null()];
    let program = rocker_client::Program {
        path: c"/bin/true",
        argv: argv.as_ptr(),
        envp: [null()].as_ptr(),
        search: None,
        keep: &[],
    };
    for _ in 0..ENTRIES {
        let mask = SigSet::empty();
        // SAFETY: both arrays end with a null pointer, and outlive the call.
        let pid = unsafe { exec_tied(DEFAULT_SOCKET, &name, &program, &mask) };
        // One that was traced when it had executed cannot be waited for before its tracer lets go of it.
        assert!(pid.is_ok(), "{pid:?}");
    }
    let (met, loot) = lurker.end();
    assert!(met > ENTRIES / 40, "the attacker met {met} of {ENTRIES}");
    // The App may trace the program, which is its user's and unfiltered here; that is in it whatever it was asked to do.
    assert_eq!(loot.replace("ptrace ", ""), "");
}

/// What is to be had of processes that enter and may be traced.
fn loot_of_careless_ones(request: &Request<'_>) -> String {
    let lurker = Lurker::start(|app| enter(request, Entry::Library, app).guard_pid);
    let linger = || {
        lurker::linger();
        0
    };
    let careless = Step::NotDumpable;
    let enter_by_hand = |_| by_hand(lurker::DOOR, request, careless, &linger).app_pid;
    let entered: Vec<i32> = (0..20).map(enter_by_hand).collect();
    let (_, loot) = lurker.end();
    // Not before: who is traced can only be waited for when the tracer has gone.
    for pid in entered {
        wait_for(pid);
    }
    loot
}
