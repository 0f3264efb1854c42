//! What the guard is: the App's user, without a privilege, and closed to everybody.

use rocker_testing::{
    Case, Master, Sandbox, binary, descriptors_of, request, run_cases, status_of,
};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "the_guard_is_the_app_s_user_without_privileges",
        the_guard_is_the_app_s_user,
    ),
    ("the_guard_is_not_dumpable", the_guard_is_not_dumpable),
    ("the_guard_is_pid_1", the_guard_is_pid_1),
    (
        "the_guard_holds_only_what_it_needs",
        the_guard_holds_only_what_it_needs,
    ),
    (
        "the_guard_pins_nothing_of_the_host",
        the_guard_pins_nothing_of_the_host,
    ),
    (
        "an_idle_guard_and_an_idle_master_sleep",
        an_idle_guard_and_an_idle_master_sleep,
    ),
    (
        "an_idle_guard_keeps_little_memory",
        an_idle_guard_keeps_little_memory,
    ),
];

fn the_guard_is_the_app_s_user() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let guard = sandbox.guard_pid();
    assert_eq!(status_of(guard, "Uid"), "1000 1000 1000 1000");
    assert_eq!(status_of(guard, "Gid"), "1000 1000 1000 1000");
    assert_eq!(status_of(guard, "Groups"), "");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status_of(guard, set), "0000000000000000", "{set}");
    }
    assert_eq!(status_of(guard, "NoNewPrivs"), "1");
    sandbox.end();
}

/// The kernel gives the files of a process that is not dumpable to root, whatever its uid.
fn the_guard_is_not_dumpable() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    for file in ["mem", "fd", "environ", "maps"] {
        let owner = fs::metadata(format!("/proc/{}/{file}", sandbox.guard_pid())).unwrap();
        assert_eq!((owner.uid(), owner.gid()), (0, 0), "{file}");
    }
    sandbox.end();
}

fn the_guard_is_pid_1() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let ids = status_of(sandbox.guard_pid(), "NSpid");
    assert!(ids.ends_with(" 1"), "{ids}");
    sandbox.end();
}

/// Its seat among the App's sandboxes, an epoll, the pidfd of the App, a signalfd, and the client's connection.
const KINDS: [&str; 5] = [
    "/run/data/.rocker/+0",
    "anon_inode:[eventpoll]",
    "anon_inode:[pidfd]",
    "anon_inode:[signalfd]",
    "socket:",
];

fn kinds_of(pid: i32) -> Vec<String> {
    let kind = |target: String| match target.split_once(":[") {
        Some(("socket", _)) => "socket:".to_owned(),
        // pidfds have had a file system of their own since 6.9.
        Some(("pidfd", _)) => "anon_inode:[pidfd]".to_owned(),
        _ => target,
    };
    let mut kinds: Vec<_> = descriptors_of(pid).into_values().map(kind).collect();
    kinds.sort();
    kinds
}

fn the_guard_holds_only_what_it_needs() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    // The client has closed its end, and the guard has heard of that or soon will.
    let kinds = || kinds_of(sandbox.guard_pid());
    let closed: Vec<_> = KINDS.iter().filter(|kind| **kind != "socket:").collect();
    rocker_testing::eventually(
        "only these are left",
        std::time::Duration::from_secs(1),
        || kinds().iter().eq(closed.iter().copied()),
    );
    sandbox.end();
}

fn the_guard_pins_nothing_of_the_host() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let guard = sandbox.guard_pid();
    assert_eq!(
        fs::read_link(format!("/proc/{guard}/cwd"))
            .unwrap()
            .to_str(),
        Some("/")
    );
    assert_eq!(
        fs::read_link(format!("/proc/{guard}/exe")).unwrap(),
        binary("rocker-master")
    );
    sandbox.end();
}

fn switches(pid: i32) -> (String, String) {
    let read = |field| status_of(pid, field);
    (
        read("voluntary_ctxt_switches"),
        read("nonvoluntary_ctxt_switches"),
    )
}

/// This one has to wait: that nothing happens can only be seen after a while.
fn an_idle_guard_and_an_idle_master_sleep() {
    let master = Master::start();
    let sandbox = Sandbox::start(&request());
    let pids = [master.pid(), sandbox.guard_pid()];
    let settled = || pids.map(switches);
    let mut before = settled();
    rocker_testing::eventually(
        "both have settled",
        std::time::Duration::from_secs(2),
        || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let was = std::mem::replace(&mut before, settled());
            was == before
        },
    );
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(settled(), before);
    sandbox.end();
}

/// It has left the master's stack and tables behind: nothing is mapped but the program and a stack close to it.
/// What it shares with the master, the program's text, is not counted: it is there in any case.
fn an_idle_guard_keeps_little_memory() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let guard = sandbox.guard_pid();
    let limit = std::time::Duration::from_secs(2);
    rocker_testing::eventually("one page of its own, or two", limit, || {
        private_kib(guard) <= 8
    });
    let maps = fs::read_to_string(format!("/proc/{guard}/maps")).unwrap();
    let program = binary("rocker-master").display().to_string();
    let others: Vec<_> = maps
        .lines()
        // A page of the kernel's own that every process on x86_64 has.
        .filter(|line| !line.ends_with(&program) && !line.ends_with("[vsyscall]"))
        .collect();
    assert_eq!(others.len(), 1, "{maps}");
    // One page of tables for each level: the two are close to each other.
    let tables = status_of(guard, "VmPTE");
    let kib: u32 = tables.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kib <= 12, "{tables}");
    sandbox.end();
}

/// What it shares with nobody, in KiB.
fn private_kib(pid: i32) -> u32 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("Private_"));
    let kib = lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u32>().ok());
    kib.sum()
}
