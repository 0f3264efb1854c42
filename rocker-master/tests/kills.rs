//! The guard is killed while it builds: the client hears of it at once, and nothing is left.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, Sandbox, Traces, eventually, launch, request, run_cases, wait_for,
};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("a_guard_killed_at_a_mount_leaves_nothing", || {
        sweep("mount", 11);
        sweep("mount_setattr", 3);
    }),
    ("a_guard_killed_at_an_open_leaves_nothing", || {
        sweep("openat2", 5)
    }),
    ("a_guard_killed_at_the_loop_device_leaves_nothing", || {
        sweep("ioctl", 2)
    }),
    (
        "a_guard_killed_at_its_identity_leaves_nothing",
        killed_at_its_identity,
    ),
    (
        "a_guard_killed_before_ready_leaves_nothing",
        killed_before_ready,
    ),
    (
        "a_guard_killed_before_its_client_is_told_leaves_nothing",
        killed_before_its_client_is_told,
    ),
    (
        "a_master_killed_at_a_launch_leaves_nothing",
        a_master_killed_at_a_launch_leaves_nothing,
    ),
];

const LIMIT: Duration = Duration::from_secs(2);

/// Kills whoever makes the nth call, for each n up to `count`.
fn sweep(call: &str, count: u32) {
    (1..=count).for_each(|number| kill_at(call, number));
}

fn killed_at_its_identity() {
    for call in [
        "chdir",
        "setgroups",
        "unshare",
        "pidfd_open",
        "setresgid",
        "setresuid",
        "capset",
    ] {
        kill_at(call, 1);
    }
    for number in [1, 2, 3, 20] {
        kill_at("prctl", number);
    }
}

/// The second message is READY, to the master.
fn killed_before_ready() {
    kill_at("sendmsg", 2);
}

/// The third is READY to the client, of which the master cannot know whether it was sent. What it logged if it took a guard
/// that dies now for one that has failed, it would log too of one that dies right after, whose client has its sandbox.
fn killed_before_its_client_is_told() {
    let master = kill("sendmsg", 3);
    assert_eq!(master.log(), "");
}

fn kill_at(call: &str, number: u32) {
    let master = kill(call, number);
    let vanished = "stage=vanished errno=ECONNRESET(104)";
    eventually("it is logged", LIMIT, || master.log().contains(vanished));
    assert_eq!(master.log().lines().count(), 1, "{}", master.log());
}

/// Gives the master, of which nothing else is left.
fn kill(call: &str, number: u32) -> Master {
    let request = request();
    let mut first = Master::start();
    Sandbox::start(&request).end();
    first.kill(libc::SIGTERM);
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let mut master = Master::start_traced(&["-e", &format!("trace={call}"), "-e", &inject]);
    let before = Traces::now(Path::new("/run/data"));
    let start = Instant::now();

    let failure = launch(&request, &|| 0).unwrap_err();

    assert!(
        start.elapsed() < LIMIT * rocker_testing::patience(),
        "{inject}: {:?}",
        start.elapsed()
    );
    assert_eq!(
        failure,
        Failure::new(Stage::ANSWER, libc::ECONNRESET),
        "{inject}"
    );
    eventually(&inject, LIMIT, || {
        Traces::now(Path::new("/run/data")) == before
    });
    assert!(master.is_alive(), "{inject}");
    master
}

/// At its own clone the guard is not there yet; at its writes the guard waits for its maps.
fn a_master_killed_at_a_launch_leaves_nothing() {
    let request = request();
    let mut first = Master::start();
    Sandbox::start(&request).end();
    first.kill(libc::SIGTERM);
    let before = Traces::now(Path::new("/run/data"));
    for (call, number) in [("socketpair", 1), ("clone3", 1), ("write", 1), ("write", 3)] {
        let inject = format!("inject={call}:signal=KILL:when={number}");
        let mut master = Master::start_traced(&["-e", &format!("trace={call}"), "-e", &inject]);
        let failure = launch(&request, &|| 0).unwrap_err();
        // With the master's end of their channel the guard loses its hope for maps, and says so.
        let expected = [
            Failure::new(Stage::ANSWER, libc::ECONNRESET),
            Failure::new(Stage::ID_MAPS, libc::ECONNRESET),
            Failure::new(Stage::ID_MAPS, libc::EPIPE),
        ];
        assert!(expected.contains(&failure), "{inject}: {failure:?}");
        eventually("it is gone", LIMIT, || !master.is_alive());
        reap_orphans();
        eventually(&inject, LIMIT, || {
            reap_orphans();
            Traces::now(Path::new("/run/data")) == before
        });
    }
    let _successor = Master::start();
    assert_eq!(wait_for(launch(&request, &|| 8).unwrap().app_pid), 8);
}

/// The case is PID 1: the guards of a dead master and the tracer are its children.
fn reap_orphans() {
    // SAFETY: no status is written to the null pointer.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}
