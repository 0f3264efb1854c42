//! Where guards are born: in namespaces that the master had prepared, or that they had to make.

use rocker_client::{DEFAULT_SOCKET, Launched};
use rocker_testing::{
    Case, Master, MountLine, Sandbox, binary, kill, launch_function, mounts_of, request,
    run_cases_on_both_kernels, wait_for,
};
use std::ffi::c_void;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "a_guard_is_born_in_what_was_prepared",
        a_guard_is_born_in_what_was_prepared,
    ),
    (
        "launches_at_once_share_nothing",
        launches_at_once_share_nothing,
    ),
    (
        "a_master_that_can_prepare_nothing_serves",
        a_master_that_can_prepare_nothing_serves,
    ),
];

/// What is prepared.
const KINDS: [&str; 2] = ["mnt", "ipc"];

fn namespaces(pid: i32) -> [PathBuf; 2] {
    KINDS.map(|kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap())
}

/// It shares neither namespace with any of the others, sees its package, and no other mount of the master's.
fn check(guard: i32, others: &[i32]) {
    let own = namespaces(guard);
    for other in others {
        for (own, other) in own.iter().zip(namespaces(*other)) {
            assert_ne!(*own, other);
        }
    }
    let mounts = mounts_of(guard);
    let count = |point: &str| {
        let is_there = |mount: &&MountLine| mount.point == point.as_bytes();
        mounts.iter().filter(is_there).count()
    };
    assert_eq!(count("/run/exec"), 1, "{mounts:?}");
    assert_eq!(count("/proc/driver"), 0, "{mounts:?}");
}

fn a_guard_is_born_in_what_was_prepared() {
    let mut command = Command::new(binary("rocker-master"));
    command.arg("--no-spare");
    let master = Master::start_command(command);
    let request = request();
    for _ in 0..3 {
        let prepared = namespaces(master.pid());
        let sandbox = Sandbox::start(&request);
        assert_eq!(namespaces(sandbox.guard_pid()), prepared);
        check(
            sandbox.guard_pid(),
            &[master.pid(), std::process::id().cast_signed()],
        );
        sandbox.end();
        assert_eq!(master.spare(), None);
    }
}

extern "C" fn stay(_: *mut c_void) -> i32 {
    // SAFETY: waits for a signal, whose default is to end this process.
    unsafe { libc::pause() }
}

/// They have all asked when the master comes to hear them, so for one alone a guard waits, or something is prepared.
fn launches_at_once_share_nothing() {
    let master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    kill(master.pid(), libc::SIGSTOP);
    let launched: Vec<_> = std::thread::scope(|scope| {
        let launch = || launch_function(DEFAULT_SOCKET, &request, stay).unwrap();
        let launching: Vec<_> = (0..4).map(|_| scope.spawn(launch)).collect();
        std::thread::sleep(Duration::from_millis(200));
        kill(master.pid(), libc::SIGCONT);
        let joined = launching.into_iter().map(|it| it.join().unwrap());
        joined.collect()
    });
    let mut others = vec![master.pid()];
    for Launched { guard_pid, .. } in &launched {
        check(*guard_pid, &others);
        others.push(*guard_pid);
    }
    for Launched {
        app_pid, guard_pid, ..
    } in launched
    {
        kill(guard_pid, libc::SIGKILL);
        assert_eq!(wait_for(app_pid), 128 + libc::SIGKILL);
    }
}

/// Of each process the first two calls work: with them each guard has its host name, and that of the first launch makes the
/// user namespace that the others enter.
fn a_master_that_can_prepare_nothing_serves() {
    let master = Master::start_traced(&[
        "-e",
        "trace=unshare",
        "-e",
        "inject=unshare:error=ENOSPC:when=3+",
    ]);
    let request = request();
    for _ in 0..6 {
        let sandbox = Sandbox::start(&request);
        check(sandbox.guard_pid(), &[master.pid()]);
        sandbox.end();
    }
}
