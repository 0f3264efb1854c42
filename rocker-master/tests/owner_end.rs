//! How sandboxes of clients that are not root end, and what they leave.

use rocker_client::{Failure, Request, Seccomp, Stage};
use rocker_testing::{
    Case, Program, SOON, Sandbox, Traces, app_master, children_of, descriptors_of, eventually,
    is_there, kill, launch, pipe, run_cases, start_for_app_master, wait_for, wait_for_master,
};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "a_killed_guard_takes_everything_along",
        a_killed_guard_takes_everything_along,
    ),
    ("a_killed_app_is_the_end", a_killed_app_is_the_end),
    (
        "failures_are_told_and_leave_nothing",
        failures_are_told_and_leave_nothing,
    ),
    (
        "a_hundred_launches_leave_nothing",
        a_hundred_launches_leave_nothing,
    ),
];

/// The master is not asked, as it talks of its cache to root alone.
fn wait_for_guard(pid: i32) {
    eventually("the guard has ended", SOON, || !is_there(pid));
}

fn a_killed_guard_takes_everything_along() {
    let (master, request) = start_for_app_master("2000");
    let before = Traces::now(Path::new("/run/nothing"));
    app_master(|| {
        let sandbox = Sandbox::start(&request);
        let launched = &sandbox.launched;
        // Its owner may.
        kill(launched.guard_pid, libc::SIGKILL);
        assert_eq!(wait_for(launched.app_pid), 128 + libc::SIGKILL);
        wait_for_guard(launched.guard_pid);
    });
    eventually("nothing is left", SOON, || {
        Traces::now(Path::new("/run/nothing")) == before
    });
    assert!(master.guards().is_empty());
}

fn a_killed_app_is_the_end() {
    let (_master, request) = start_for_app_master("2000");
    app_master(|| {
        let sandbox = Sandbox::start(&request);
        kill(sandbox.app_pid(), libc::SIGKILL);
        assert_eq!(wait_for(sandbox.app_pid()), 128 + libc::SIGKILL);
        wait_for_guard(sandbox.guard_pid());
    });
}

fn failures_are_told_and_leave_nothing() {
    let (master, request) = start_for_app_master("2000");
    let before = Traces::now(Path::new("/run/data"));
    let not_there = Request {
        exec_dir: c"/run/exec/nothing",
        ..request
    };
    fs::write("/run/app.policy", "write: 1\n").unwrap();
    let without_execve = Request {
        seccomp: Seccomp::FILE,
        policy: c"/run/app.policy",
        ..request
    };
    app_master(|| {
        let expected = Failure::new(Stage::OPEN_EXEC_DIR, libc::ENOENT);
        assert_eq!(launch(&not_there, &|| 0).unwrap_err(), expected);
        let missing = Program {
            arguments: &["/nowhere"],
            ..Program::default()
        };
        let expected = Failure::new(Stage::EXEC, libc::ENOENT);
        assert_eq!(missing.launch(&request).unwrap_err(), expected);
        let killed = missing.launch(&without_execve).unwrap_err();
        assert_eq!(killed, Failure::new(Stage::JOIN, libc::ECONNRESET));
        assert_eq!(children_of(std::process::id().cast_signed()), []);
    });
    eventually("no guard is left", SOON, || master.guards().is_empty());
    assert_eq!(
        before.processes(),
        Traces::now(Path::new("/run/data")).processes()
    );
    assert_eq!(master.log().lines().count(), 1);
}

fn a_hundred_launches_leave_nothing() {
    let (master, request) = start_for_app_master("2000");
    let descriptors = || descriptors_of(master.pid()).len();
    let now = || Traces::now(Path::new("/run/nothing"));
    // Until then it may hold the one by which it told that it is ready.
    wait_for_master();
    let (before, at_first) = (now(), descriptors());
    for _ in 0..100 {
        app_master(|| {
            let (mut end, held) = pipe();
            let launched = launch(&request, &|| 3).unwrap();
            drop(held);
            assert_eq!(end.read(&mut [0]).unwrap(), 0);
            assert_eq!(wait_for(launched.app_pid), 3);
            wait_for_guard(launched.guard_pid);
        });
    }
    eventually("nothing is left", SOON, || now() == before);
    eventually("descriptors are as many", SOON, || {
        descriptors() <= at_first
    });
    assert_eq!(master.log(), "");
}
