//! Many launches: at once, one after the other, and with guards that are killed meanwhile.

use rocker_client::Request;
use rocker_testing::{
    Master, Peer, Steady, Traces, binary, c_path, descriptors_of, eventually, kill, launch,
    patience, request, wait_for, with_package,
};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const CROWD: usize = 64;
const PATIENCE: Duration = Duration::from_secs(20);

/// A package file of its own for each, so that each takes a loop device.
fn packages() -> Vec<CString> {
    let copy = |number| {
        let path = format!("/run/{number}.sqfs");
        fs::copy("/run/app.sqfs", &path).unwrap();
        c_path(path)
    };
    (0..CROWD).map(copy).collect()
}

/// All of them ask at once; gives their connections.
fn ask_all(plain: &Request<'_>, packages: &[CString]) -> Vec<Peer> {
    let ask = |package: &CString| {
        let peer = Peer::connect().unwrap();
        let packet = with_package(plain, package).encode().unwrap();
        peer.send(&packet).unwrap();
        peer
    };
    packages.iter().map(ask).collect()
}

/// Northstar #951: LOOP_CTL_GET_FREE gives the same device to many, who must try again.
pub fn d05_crowd_of_launches() {
    let steady = Steady::start();
    let plain = request();
    let packages = packages();
    let before = Traces::now(Path::new("/run/data")).loop_devices();
    let peers = ask_all(&plain, &packages);
    for peer in &peers {
        assert_eq!(peer.refusal(PATIENCE), None);
    }
    assert_eq!(steady.master.guards().len(), CROWD);
    assert_eq!(
        Traces::now(Path::new("/run/data")).loop_devices(),
        before + CROWD
    );
    drop(peers);
    steady.settle();
    steady.check();
}

/// Whenever a guard dies, its loop device goes with it: nobody has to clean up.
pub fn s14_guards_killed_in_a_crowd() {
    let steady = Steady::start();
    let plain = request();
    let packages = packages();
    let before = Traces::now(Path::new("/run/data")).loop_devices();
    // Different ones: one that is ending can be killed again and again.
    let mut killed = BTreeSet::new();
    // A slow machine gets to fewer of them each time.
    for round in 0..8 * u64::from(patience()) {
        let peers = ask_all(&plain, &packages);
        let until = Instant::now() + Duration::from_millis(5 + 10 * (round % 8)) * patience();
        // Each guard at another step of its work.
        while Instant::now() < until {
            for guard in steady.master.guards().into_iter().skip(round as usize % 3) {
                // It may have ended by itself. The case's pid namespace has nobody else.
                // SAFETY: integers only.
                if unsafe { libc::kill(guard, libc::SIGKILL) } == 0 {
                    killed.insert(guard);
                }
            }
        }
        drop(peers);
        steady.settle();
    }
    assert!(killed.len() > CROWD, "{}", killed.len());
    let loop_devices = || Traces::now(Path::new("/run/data")).loop_devices();
    eventually("no loop device is left", Duration::from_secs(2), || {
        loop_devices() == before
    });
    steady.check();
}

/// The original slept two seconds after a kill, under a lock.
pub fn d04_launch_after_a_kill() {
    let steady = Steady::start();
    let request = request();
    for _ in 0..20 {
        let launched = launch(&request, &|| {
            // SAFETY: no argument.
            unsafe { libc::pause() };
            0
        });
        let launched = launched.unwrap();
        kill(launched.guard_pid, libc::SIGKILL);
        let start = Instant::now();
        Steady::launch();
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(wait_for(launched.app_pid), 128 + libc::SIGKILL);
    }
    steady.check();
}

/// The original leaked two descriptors per launch, and was dead after 500.
pub fn d06_six_hundred_launches() {
    let steady = Steady::start();
    let mine = descriptors_of(1).len();
    for _ in 0..600 {
        Steady::launch();
    }
    assert_eq!(descriptors_of(1).len(), mine);
    steady.check();
}

/// A clone of a process with threads may find a lock that nobody will ever open. The master has one thread, and neither it
/// nor a guard knows a lock or an allocator.
pub fn s22_master_of_one_thread() {
    // Each guard is made for a launch: how many are made ahead of one depends on what comes when.
    let mut command = Command::new(binary("rocker-master"));
    command.args(["--cache-idle", "0", "--no-spare"]);
    let master = Master::start_command(command);
    let mut master = master.traced(&["-e", "trace=futex,brk,execve,clone,clone3"]);
    for _ in 0..50 {
        Steady::launch();
        let tasks = fs::read_dir(format!("/proc/{}/task", master.pid())).unwrap();
        assert_eq!(tasks.count(), 1);
    }
    master.end_trace();
    let trace = fs::read_to_string("/run/trace").unwrap();
    let calls = trace
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.split_once('('));
    let names: Vec<_> = calls.map(|(name, _)| name.trim()).collect();
    assert_eq!(names, vec!["clone3"; 50]);
}
