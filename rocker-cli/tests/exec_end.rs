//! `rocker exec`: how it ends, what it leaves, and what is refused.

mod support;

use rocker_client::{Request, Seccomp};
use rocker_testing::{
    Case, Master, Sandbox, Traces, as_user, children_of, descriptors_of, eventually, has_pidfds,
    kill, request, run_cases_on_both_kernels, wait_for, wait_for_guard, wait_for_master,
};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::time::Duration;
use support::entered::{exec, guard_of, script};
use support::{outcome, rocker};

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "the_exit_status_is_the_commands",
        the_exit_status_is_the_commands,
    ),
    ("it_ends_with_the_sandbox", it_ends_with_the_sandbox),
    ("it_keeps_no_sandbox", it_keeps_no_sandbox),
    ("it_ends_with_its_command", it_ends_with_its_command),
    (
        "a_hundred_leave_the_host_as_it_was",
        a_hundred_leave_the_host_as_it_was,
    ),
    ("who_is_not_root_is_refused", who_is_not_root_is_refused),
    ("what_is_no_sandbox_is_named", what_is_no_sandbox_is_named),
    (
        "a_filter_from_a_file_is_not_kept",
        a_filter_from_a_file_is_not_kept,
    ),
];

/// One that says when it runs, and waits for that.
fn started(sandbox: &Sandbox, text: &str) -> Child {
    let mut command = exec(sandbox, &["sh", "-c", &format!("echo; {text}")]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    child
}

fn the_exit_status_is_the_commands() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    for status in [0, 1, 125, 255] {
        let text = format!("exit {status}");
        assert_eq!(outcome(&mut exec(&sandbox, &["sh", "-c", &text])).0, status);
    }
    assert_eq!(
        outcome(&mut exec(&sandbox, &["sh", "-c", "kill -9 $$"])).0,
        137
    );
    let (status, _, stderr) = outcome(&mut exec(&sandbox, &["nothing-of-this-name"]));
    assert_eq!(status, 127, "{stderr}");
    assert_eq!(outcome(&mut exec(&sandbox, &["/etc/passwd"])).0, 126);
    sandbox.end();
}

fn it_ends_with_the_sandbox() {
    let _master = Master::start();
    // It makes the layers, which stay.
    Sandbox::start(&request()).end();
    let before = Traces::now(Path::new("/run/data"));
    let sandbox = Sandbox::start(&request());
    let mut child = started(&sandbox, "exec sleep 1000");
    kill(sandbox.guard_pid(), libc::SIGKILL);
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert_eq!(wait_for(sandbox.app_pid()), 137);
    drop((sandbox, child));
    eventually("all is as before", Duration::from_secs(2), || {
        Traces::now(Path::new("/run/data")) == before
    });
}

/// The App's end is the sandbox's, whoever else is in there; but without pidfds a guard waits until it is alone.
fn it_keeps_no_sandbox() {
    let _master = Master::start();
    let mut sandbox = Sandbox::start(&request());
    let mut child = started(&sandbox, "exec sleep 1000");
    let inside = children_of(child.id().cast_signed());
    sandbox.let_go();
    assert_eq!(wait_for(sandbox.app_pid()), 0);
    if !has_pidfds() {
        kill(inside[0], libc::SIGKILL);
    }
    assert_eq!(child.wait().unwrap().code(), Some(137));
    wait_for_guard(&sandbox.launched);
}

fn it_ends_with_its_command() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let mut child = started(&sandbox, "exec sleep 1000");
    let command = child.id().cast_signed();
    let inside = children_of(command);
    assert_eq!(inside.len(), 1);
    kill(command, libc::SIGKILL);
    child.wait().unwrap();
    // What it leaves behind is the case's, as it would be init's.
    assert_eq!(wait_for(inside[0]), 137);
    // Nobody else has noticed.
    assert_eq!(script(&sandbox, "echo goes on"), "goes on\n");
    sandbox.end();
}

fn a_hundred_leave_the_host_as_it_was() {
    let master = Master::start();
    let sandbox = Sandbox::start(&request());
    let descriptors = || descriptors_of(master.pid()).len();
    assert_eq!(outcome(&mut exec(&sandbox, &["true"])).0, 0);
    wait_for_master();
    let before = descriptors();
    for _ in 0..100 {
        assert_eq!(outcome(&mut exec(&sandbox, &["true"])).0, 0);
    }
    assert!(children_of(sandbox.guard_pid()).is_empty());
    wait_for_master();
    assert_eq!(descriptors(), before);
    sandbox.end();
}

/// Not even one whom the policy lets launch.
fn who_is_not_root_is_refused() {
    let _master = Master::start_with_policy(rocker_testing::POLICY_OF_1000);
    let sandbox = Sandbox::start(&request());
    let guard = guard_of(&sandbox);
    let status = as_user(1000, || {
        let got = outcome(&mut rocker(&["exec", &guard, "true"]));
        let says = "the master does not let this user launch: EPERM (run this as root)";
        assert_eq!(got, (125, String::new(), format!("rocker: {says}\n")));
        0
    });
    assert_eq!(status, 0);
    sandbox.end();
}

fn refused(arguments: &[&str], status: i32, says: &str) {
    let got = outcome(rocker(&["exec"]).args(arguments));
    let expected = (status, String::new(), format!("rocker: {says}\n"));
    assert_eq!(got, expected, "{arguments:?}");
}

fn what_is_no_sandbox_is_named() {
    let none =
        |name| format!("no sandbox of this master has the guard {name}: ESRCH (see `ps -A`)");
    let master = Master::start();
    let sandbox = Sandbox::start(&request());
    let guard = guard_of(&sandbox);
    // One that waits for its launch guards nothing.
    for name in [
        "rk0000000000000",
        "rocker-next",
        "x",
        "a name that is far too long",
    ] {
        refused(&[name, "true"], 125, &none(name));
    }
    sandbox.end();
    refused(&[&guard, "true"], 125, &none(&guard));
    refused(&[], 2, "run what? Try rocker --help");
    refused(&["", "true"], 2, "run what? Try rocker --help");
    let which = format!("run which command in {guard}? Try rocker --help");
    refused(&[&guard], 2, &which);
    refused(&[&guard, "--"], 2, &which);
    refused(
        &["--uid", "5", &guard, "true"],
        2,
        "no such option: --uid; try rocker --help",
    );
    drop(master);
    let nobody = "cannot reach the master at /run/nowhere: ENOENT (none runs; start `rocker-master` as root, or run this as root)";
    refused(&["--socket=/run/nowhere", &guard, "true"], 125, nobody);
}

/// It may say something else by now.
fn a_filter_from_a_file_is_not_kept() {
    let _master = Master::start();
    fs::write("/run/app.policy", "read: 1\nwrite: 1\n").unwrap();
    let request = Request {
        seccomp: Seccomp::FILE,
        policy: c"/run/app.policy",
        ..request()
    };
    let sandbox = Sandbox::start(&request);
    let guard = guard_of(&sandbox);
    refused(
        &[&guard, "true"],
        125,
        "cannot use the seccomp policy: ENODATA (files of policies are not kept)",
    );
    sandbox.end();
}
