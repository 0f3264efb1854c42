//! The end of a sandbox: at once when its last process has ended, and with everything when somebody is killed.

use rocker_client::Request;
use rocker_testing::{
    Case, Master, Sandbox, Traces, eventually, has_pidfds, is_there, kill, launch, overlays,
    patience, pipe, request, run_cases_on_both_kernels, status_of, wait_for, wait_for_guard,
};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("guard_ends_with_the_app", guard_ends_with_the_app),
    ("guard_waits_for_an_orphan", guard_waits_for_an_orphan),
    (
        "a_daemon_of_the_app_keeps_the_sandbox",
        a_daemon_of_the_app_keeps_the_sandbox,
    ),
    (
        "orphans_do_not_pile_up_as_zombies",
        orphans_do_not_pile_up_as_zombies,
    ),
    (
        "an_unreaped_app_keeps_no_mount_of_its_sandbox",
        an_unreaped_app_keeps_nothing,
    ),
    (
        "killing_the_guard_ends_everything",
        killing_the_guard_ends_everything,
    ),
    (
        "killing_the_app_ends_the_sandbox",
        killing_the_app_ends_the_sandbox,
    ),
    (
        "killing_the_client_leaves_its_app_alone",
        killing_the_client_leaves_its_app_alone,
    ),
    (
        "killing_everybody_leaves_nothing",
        killing_everybody_leaves_nothing,
    ),
];

const DATA: &str = "/run/data";

fn first_launch() -> Request<'static> {
    let request = request();
    // It makes the layers' directories, which stay.
    Sandbox::start(&request).end();
    request
}

fn assert_nothing_left(before: &Traces) {
    eventually("all is as before", Duration::from_secs(2), || {
        Traces::now(Path::new(DATA)) == *before
    });
}

/// At once, or at the next tick where no pidfd tells.
fn limit() -> Duration {
    Duration::from_millis(if has_pidfds() { 50 } else { 400 }) * patience()
}

/// The shortest of a few tries: what a busy machine adds is not the guard's doing.
fn assert_soon(mut time_to_end: impl FnMut() -> Duration) {
    let shortest = (0..5).map(|_| time_to_end()).min().unwrap();
    assert!(shortest < limit(), "{shortest:?}");
}

fn guard_ends_with_the_app() {
    let _master = Master::start();
    let request = first_launch();
    let time_to_end = || {
        let mut sandbox = Sandbox::start(&request);
        sandbox.let_go();
        assert_eq!(wait_for(sandbox.app_pid()), 0);
        let start = Instant::now();
        wait_for_guard(&sandbox.launched);
        start.elapsed()
    };
    assert_soon(time_to_end);
}

/// An App that forks a child and ends before it. The child says its word and waits for one.
fn launch_with_orphan(request: &Request<'_>) -> (rocker_client::Launched, std::fs::File) {
    let (mut ready, say_ready) = pipe();
    let (held, hold) = pipe();
    let launched = launch(request, &|| {
        // SAFETY: the App has one thread.
        if unsafe { libc::fork() } == 0 {
            (&say_ready).write_all(b".").unwrap();
            (&held).read_exact(&mut [0]).unwrap();
        }
        0
    });
    ready.read_exact(&mut [0]).unwrap();
    (launched.unwrap(), hold)
}

fn guard_waits_for_an_orphan() {
    let _master = Master::start();
    let request = first_launch();
    let before = Traces::now(Path::new(DATA));
    let time_to_end = || {
        let (launched, mut hold) = launch_with_orphan(&request);
        assert_eq!(wait_for(launched.app_pid), 0);
        eventually("the orphan is the guard's", Duration::from_secs(1), || {
            rocker_testing::children_of(launched.guard_pid).len() == 1
        });
        assert!(!status_of(launched.guard_pid, "State").starts_with('Z'));
        hold.write_all(b".").unwrap();
        let start = Instant::now();
        wait_for_guard(&launched);
        start.elapsed()
    };
    assert_soon(time_to_end);
    assert_nothing_left(&before);
}

fn a_daemon_of_the_app_keeps_the_sandbox() {
    let _master = Master::start();
    let (mut ready, say_ready) = pipe();
    let (held, mut hold) = pipe();
    let launched = launch(&request(), &|| {
        // SAFETY: the App has one thread.
        if unsafe { libc::fork() } == 0 {
            // SAFETY: no argument.
            unsafe { libc::setsid() };
            // SAFETY: as above.
            if unsafe { libc::fork() } == 0 {
                let hello = fs::read_to_string("/run/exec/hello").unwrap();
                (&say_ready).write_all(&hello.as_bytes()[..5]).unwrap();
                (&held).read_exact(&mut [0]).unwrap();
            }
        }
        0
    });
    let launched = launched.unwrap();
    let mut word = [0; 5];
    ready.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"hello");
    assert_eq!(wait_for(launched.app_pid), 0);
    assert!(is_there(launched.guard_pid));
    hold.write_all(b".").unwrap();
    wait_for_guard(&launched);
}

fn orphans_do_not_pile_up_as_zombies() {
    let _master = Master::start();
    let sandbox = Sandbox::start_with(&request(), &|| {
        for _ in 0..300 {
            // SAFETY: the App has one thread.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: as above; the grandchild is an orphan at once.
                unsafe { libc::fork() };
                // SAFETY: ends a process that shares nothing.
                unsafe { libc::_exit(0) };
            }
            assert_eq!(wait_for(child), 0);
        }
    });
    let sandbox = sandbox.unwrap();
    eventually(
        "the guard has no child left",
        Duration::from_secs(2),
        || rocker_testing::children_of(sandbox.guard_pid()).is_empty(),
    );
    sandbox.end();
}

/// The kernel keeps the guard until the App is reaped (`zap_pid_ns_processes`), but not what it held.
fn an_unreaped_app_keeps_nothing() {
    let _master = Master::start();
    let request = first_launch();
    let before = Traces::now(Path::new(DATA));
    let mut sandbox = Sandbox::start(&request);
    assert_eq!(
        Traces::now(Path::new(DATA)).loop_devices(),
        before.loop_devices() + 1
    );
    sandbox.let_go();
    eventually("the App is a zombie", Duration::from_secs(1), || {
        status_of(sandbox.app_pid(), "State").starts_with('Z')
    });
    let exec_dir = format!("/proc/{}/root/run/exec/hello", sandbox.guard_pid());
    eventually("the mounts are gone", Duration::from_secs(1), || {
        !Path::new(&exec_dir).exists()
    });
    assert!(status_of(sandbox.app_pid(), "State").starts_with('Z'));
    // The package cache keeps its mount, and the loop device with it, for as long as the guard is on the table.
    assert_eq!(wait_for(sandbox.app_pid()), 0);
    wait_for_guard(&sandbox.launched);
    assert_eq!(
        Traces::now(Path::new(DATA)).loop_devices(),
        before.loop_devices()
    );
}

fn killing_the_guard_ends_everything() {
    let mut master = Master::start();
    let request = first_launch();
    let before = Traces::now(Path::new(DATA));
    let (launched, hold) = launch_with_orphan(&request);
    let second = Sandbox::start(&request);
    kill(launched.guard_pid, libc::SIGKILL);
    kill(second.guard_pid(), libc::SIGKILL);
    // The first App may have ended by itself already.
    assert!([0, 128 + libc::SIGKILL].contains(&wait_for(launched.app_pid)));
    assert_eq!(wait_for(second.app_pid()), 128 + libc::SIGKILL);
    drop((launched, hold, second));
    assert_nothing_left(&before);
    assert!(master.is_alive());
}

fn killing_the_app_ends_the_sandbox() {
    let _master = Master::start();
    let request = first_launch();
    let before = Traces::now(Path::new(DATA));
    let sandbox = Sandbox::start(&request);
    kill(sandbox.app_pid(), libc::SIGKILL);
    assert_eq!(wait_for(sandbox.app_pid()), 128 + libc::SIGKILL);
    drop(sandbox);
    assert_nothing_left(&before);
}

/// A client that launches, says both process ids, and waits to be killed.
fn client_in_a_fork(request: &Request<'_>) -> (i32, i32, i32, std::fs::File) {
    let (mut answer, tell) = pipe();
    let (held, hold) = pipe();
    // SAFETY: the case has one thread.
    let client = unsafe { libc::fork() };
    if client == 0 {
        let launched = launch(request, &|| {
            (&held).read_exact(&mut [0]).unwrap();
            0
        });
        let launched = launched.unwrap();
        let pids = [launched.app_pid, launched.guard_pid]
            .map(i32::to_ne_bytes)
            .concat();
        (&tell).write_all(&pids).unwrap();
        loop {
            // SAFETY: no argument.
            unsafe { libc::pause() };
        }
    }
    let mut pids = [[0; 4]; 2];
    pids.iter_mut()
        .for_each(|pid| answer.read_exact(pid).unwrap());
    let [app, guard] = pids.map(i32::from_ne_bytes);
    (client, app, guard, hold)
}

fn killing_the_client_leaves_its_app_alone() {
    let _master = Master::start();
    let request = first_launch();
    let before = Traces::now(Path::new(DATA));
    let (client, app, guard, mut hold) = client_in_a_fork(&request);
    kill(client, libc::SIGKILL);
    assert_eq!(wait_for(client), 128 + libc::SIGKILL);
    assert!(is_there(app) && is_there(guard));
    // PID 1 of the case has inherited the App, as an init would.
    hold.write_all(b".").unwrap();
    assert_eq!(wait_for(app), 0);
    drop(hold);
    assert_nothing_left(&before);
}

fn killing_everybody_leaves_nothing() {
    let request = Request {
        overlays: overlays(&[c"/etc", c"/usr"]),
        ..request()
    };
    let mut master = Master::start();
    Sandbox::start(&request).end();
    master.kill(libc::SIGTERM);
    let before = Traces::now(Path::new(DATA));
    let mut master = Master::start();
    let (client, app, guard, hold) = client_in_a_fork(&request);
    // Together: nobody sees another's end and ends by itself.
    for signal in [libc::SIGSTOP, libc::SIGKILL] {
        for pid in [client, app, guard] {
            kill(pid, signal);
        }
    }
    master.kill(libc::SIGKILL);
    for pid in [client, app, guard] {
        assert_eq!(wait_for(pid), 128 + libc::SIGKILL);
    }
    drop((hold, master));
    assert_nothing_left(&before);
}
