//! Somebody is killed while a sandbox is built: whoever is left hears of it at once, and nothing stays.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, Sandbox, Traces, assert_within, children_of, eventually, is_there, kill, launch,
    pipe, request, run_cases, status_of, wait_for,
};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("a_guard_killed_at_a_mount_leaves_nothing", || {
        sweep("mount", 10);
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
    (
        "an_app_master_killed_while_its_child_waits_leaves_nothing",
        an_app_master_killed_while_its_child_waits_leaves_nothing,
    ),
];

const LIMIT: Duration = Duration::from_secs(2);

/// Kills whoever makes the nth call, for each n up to `count`.
fn sweep(call: &str, count: u32) {
    (1..=count).for_each(|number| kill_at(call, number));
}

/// Its unshare is not among them: the master makes that call too.
fn killed_at_its_identity() {
    for call in [
        "chdir",
        "setgroups",
        "pidfd_open",
        "setresgid",
        "setresuid",
        "capset",
    ] {
        kill_at(call, 1);
    }
    for number in 1..=5 {
        kill_at("prctl", number);
    }
}

/// The first message is the client's way in, the third READY to the master.
fn killed_before_ready() {
    for number in 1..=3 {
        check_log(&kill_spare("sendmsg", number), VANISHED);
    }
}

/// The fourth is READY to the client, of which the master cannot know whether it was sent. What it logged if it took a guard
/// that dies now for one that has failed, it would log too of one that dies right after, whose client has its sandbox.
fn killed_before_its_client_is_told() {
    for (call, number) in [("setresuid", 2), ("sendmsg", 4)] {
        let master = kill_spare(call, number);
        assert_eq!(master.log(), "", "{call}");
    }
}

const VANISHED: &str = "stage=vanished errno=ECONNRESET(104)";

fn kill_at(call: &str, number: u32) {
    let (master, failure) = kill_guard(call, number);
    if failure == Failure::new(Stage::ANSWER, libc::ECONNRESET) {
        return check_log(&master, VANISHED);
    }
    // It was dead before it could be told what to do: at what it does before it is called.
    let is_early = match call {
        "openat2" | "chdir" => number == 1,
        "mount" => number <= 8,
        _ => call == "mount_setattr",
    };
    assert!(is_early, "{call} {number}: {failure:?}");
    assert_eq!(
        failure,
        Failure::new(Stage::CLONE, libc::EPIPE),
        "{call} {number}"
    );
    check_log(&master, "stage=clone errno=EPIPE(32)");
}

fn check_log(master: &Master, words: &str) {
    eventually("it is logged", LIMIT, || master.log().contains(words));
    assert_eq!(master.log().lines().count(), 1, "{}", master.log());
}

/// Kills the guard that has waited for this launch, and nobody else who makes such a call.
fn kill_spare(call: &str, number: u32) -> Master {
    let request = request();
    let mut master = Master::start_keeping_packages(1000);
    Sandbox::start(&request).end();
    master.rest();
    let spare = master.spare().unwrap();
    let before = Traces::now(Path::new("/run/data"));
    let inject = format!("inject={call}:signal=KILL:when={number}");
    master.trace(spare, &["-e", &format!("trace={call}"), "-e", &inject]);
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::ANSWER, libc::ECONNRESET));
    eventually("it is gone", LIMIT, || !is_there(spare));
    master.end_trace();
    eventually(&inject, LIMIT, || {
        Traces::now(Path::new("/run/data")) == before
    });
    master
}

/// Gives the master, of which nothing else is left, and what the client was told.
fn kill_guard(call: &str, number: u32) -> (Master, Failure) {
    let request = request();
    let mut first = Master::start();
    Sandbox::start(&request).end();
    first.kill(libc::SIGTERM);
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let mut master = Master::start_traced(&["-e", &format!("trace={call}"), "-e", &inject]);
    let before = Traces::now(Path::new("/run/data"));
    let start = Instant::now();

    let failure = launch(&request, &|| 0).unwrap_err();

    assert_within(LIMIT, start, &inject);
    eventually(&inject, LIMIT, || {
        Traces::now(Path::new("/run/data")) == before
    });
    assert!(master.is_alive(), "{inject}");
    (master, failure)
}

/// At its own clone the guard is not there yet; at its writes the guard waits for its maps.
fn a_master_killed_at_a_launch_leaves_nothing() {
    let request = request();
    let mut first = Master::start();
    Sandbox::start(&request).end();
    first.kill(libc::SIGTERM);
    let before = Traces::now(Path::new("/run/data"));
    let calls = [
        ("socketpair", 1),
        ("clone3", 1),
        ("sendmsg", 1),
        ("write", 1),
        ("write", 3),
    ];
    for (call, number) in calls {
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
        eventually(&format!("{inject}: it is gone"), LIMIT, || {
            !master.is_alive()
        });
        reap_orphans();
        eventually(&inject, LIMIT, || {
            reap_orphans();
            Traces::now(Path::new("/run/data")) == before
        });
    }
    let _successor = Master::start();
    assert_eq!(wait_for(launch(&request, &|| 8).unwrap().app_pid), 8);
}

/// The child is there while the guard still mounts, and never becomes an App if there is nobody any more whose it could be.
fn an_app_master_killed_while_its_child_waits_leaves_nothing() {
    let request = request();
    let mut first = Master::start();
    Sandbox::start(&request).end();
    first.kill(libc::SIGTERM);
    // The first mount that is not of /proc.
    let slow = "inject=mount:delay_enter=500000:when=9";
    let master = Master::start_traced(&["-e", "trace=mount", "-e", slow]);
    let before = Traces::now(Path::new("/run/data"));
    let (mut told, tell) = pipe();
    // SAFETY: the case has one thread.
    let app_master = unsafe { libc::fork() };
    if app_master == 0 {
        launch(&request, &|| {
            (&tell).write_all(b"I run").unwrap();
            0
        })
        .unwrap();
        // SAFETY: ends this fork.
        unsafe { libc::_exit(0) };
    }
    eventually("it has a child", LIMIT, || {
        !children_of(app_master).is_empty()
    });
    let [child] = children_of(app_master)[..] else {
        panic!("more than one child");
    };
    assert!(status_of(child, "NSpid").ends_with(" 2"));
    let trace = fs::read_to_string("/run/trace").unwrap();
    let is_done = |line: &str| line.contains("overlay") && line.contains(" = 0");
    assert!(!trace.lines().any(is_done), "too late: {trace}");

    kill(app_master, libc::SIGKILL);

    assert_eq!(wait_for(app_master), 128 + libc::SIGKILL);
    eventually("its child has ended", LIMIT, || {
        reap_orphans();
        !is_there(child)
    });
    drop(tell);
    let mut said = String::new();
    told.read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    drop(told);
    eventually("all is as before", LIMIT, || {
        reap_orphans();
        Traces::now(Path::new("/run/data")) == before
    });
    assert!(master.log().contains("stage=vanished errno=EPIPE"));
}

/// The case is PID 1: the guards of a dead master and the tracer are its children.
fn reap_orphans() {
    // SAFETY: no status is written to the null pointer.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}
