//! Joining by callback: the App is the caller's child, and the caller is as it was.

use rocker_testing::{
    Caller, Case, Master, Sandbox, ask, descriptors_of, eventually, has_pidfds, is_there, launch,
    pipe, request, run_cases_on_both_kernels, status_of, wait_for, wait_for_guard,
};
use std::fs::{self, File};
use std::io::Error;
use std::mem::zeroed;
use std::process::ExitCode;
use std::ptr::null_mut;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "the_app_is_the_caller_s_child",
        the_app_is_the_caller_s_child,
    ),
    (
        "exit_status_and_signal_are_seen",
        exit_status_and_signal_are_seen,
    ),
    ("sigchld_arrives", sigchld_arrives),
    ("the_caller_is_as_before", the_caller_is_as_before),
    (
        "the_caller_is_as_before_a_failure",
        the_caller_is_as_before_a_failure,
    ),
    (
        "the_caller_s_next_children_are_its_own",
        the_caller_s_next_children_are_its_own,
    ),
    (
        "a_caller_that_is_not_dumpable_stays_so",
        a_caller_that_is_not_dumpable_stays_so,
    ),
    ("the_app_starts_at_the_root", the_app_starts_at_the_root),
    (
        "the_app_has_the_caller_s_signal_mask",
        the_app_has_the_caller_s_signal_mask,
    ),
    (
        "the_app_holds_nothing_of_the_library",
        the_app_holds_nothing_of_the_library,
    ),
    (
        "the_app_keeps_the_caller_s_descriptors",
        the_app_keeps_the_caller_s_descriptors,
    ),
    (
        "pidfds_are_those_of_app_and_guard",
        pidfds_are_those_of_app_and_guard,
    ),
    (
        "a_caller_that_ignores_sigchld_works",
        a_caller_that_ignores_sigchld_works,
    ),
];

fn the_app_is_the_caller_s_child() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let me = std::process::id().to_string();
    assert_eq!(status_of(sandbox.app_pid(), "PPid"), me);
    assert_ne!(status_of(sandbox.guard_pid(), "PPid"), me);
    sandbox.end();
}

fn exit_status_and_signal_are_seen() {
    let _master = Master::start();
    let request = request();
    for status in [0, 1, 77, 255] {
        assert_eq!(
            wait_for(launch(&request, &|| status).unwrap().app_pid),
            status
        );
    }
    for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGABRT, libc::SIGSEGV] {
        let app = || {
            // SAFETY: integers only; the Rust runtime's handler for SIGSEGV would only say more about it.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            // SAFETY: integers only.
            unsafe { libc::raise(signal) };
            0
        };
        assert_eq!(
            wait_for(launch(&request, &app).unwrap().app_pid),
            128 + signal
        );
    }
}

fn block(signal: i32) -> libc::sigset_t {
    // SAFETY: a set is integers, for which zero is a value.
    let mut set: libc::sigset_t = unsafe { zeroed() };
    // SAFETY: writes to our set.
    unsafe { libc::sigaddset(&raw mut set, signal) };
    // SAFETY: reads our set.
    let done = unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, null_mut()) };
    assert_eq!(done, 0);
    set
}

fn sigchld_arrives() {
    let _master = Master::start();
    let set = block(libc::SIGCHLD);
    let launched = launch(&request(), &|| 3).unwrap();
    let limit = libc::timespec {
        tv_sec: 5,
        tv_nsec: 0,
    };
    // SAFETY: integers, for which zero is a value.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    // SAFETY: reads our set and our limit, writes to our info.
    let signal = unsafe { libc::sigtimedwait(&raw const set, &raw mut info, &raw const limit) };
    assert_eq!(signal, libc::SIGCHLD, "{}", Error::last_os_error());
    // SAFETY: it is filled for SIGCHLD.
    let (pid, status) = (unsafe { info.si_pid() }, unsafe { info.si_status() });
    assert_eq!((pid, status), (launched.app_pid, 3));
    wait_for(launched.app_pid);
}

fn the_caller_is_as_before() {
    let _master = Master::start();
    let request = request();
    block(libc::SIGUSR1);
    let before = Caller::now();
    let launched = launch(&request, &|| 0).unwrap();
    wait_for(launched.app_pid);
    // Its pidfds are the caller's to close.
    drop(launched);
    assert_eq!(Caller::now(), before);
}

fn the_caller_is_as_before_a_failure() {
    let _master = Master::start();
    let request = rocker_client::Request {
        package: c"/run/missing",
        ..request()
    };
    let before = Caller::now();
    launch(&request, &|| 0).unwrap_err();
    assert_eq!(Caller::now(), before);
}

fn the_caller_s_next_children_are_its_own() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let (mut answer, tell) = pipe();
    let status = rocker_testing::in_fork(|| {
        let id = fs::read_link("/proc/self/ns/pid").unwrap();
        std::io::Write::write_all(&mut &tell, id.to_str().unwrap().as_bytes()).unwrap();
        0
    });
    drop(tell);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut answer, &mut text).unwrap();
    assert_eq!(status, 0);
    assert_eq!(
        text,
        fs::read_link("/proc/self/ns/pid")
            .unwrap()
            .to_str()
            .unwrap()
    );
    sandbox.end();
}

fn a_caller_that_is_not_dumpable_stays_so() {
    let _master = Master::start();
    // Packing makes threads, for which libc takes a signal of its own.
    let request = request();
    // SAFETY: integers only.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
    let before = Caller::now();
    let launched = launch(&request, &|| 0).unwrap();
    wait_for(launched.app_pid);
    drop(launched);
    assert_eq!(Caller::now(), before);
}

fn the_app_starts_at_the_root() {
    std::env::set_current_dir("/usr").unwrap();
    let _master = Master::start();
    let dir = ask(&request(), &|| {
        std::env::current_dir().unwrap().display().to_string()
    });
    assert_eq!(dir, "/");
}

fn the_app_has_the_caller_s_signal_mask() {
    let _master = Master::start();
    block(libc::SIGUSR2);
    let me = std::process::id().cast_signed();
    let sandbox = Sandbox::start(&request());
    assert_eq!(
        status_of(sandbox.app_pid(), "SigBlk"),
        status_of(me, "SigBlk")
    );
    sandbox.end();
}

fn the_app_holds_nothing_of_the_library() {
    let _master = Master::start();
    let request = request();
    // Another launch's pidfds are the library's too, until the caller closes them.
    let first = Sandbox::start(&request);
    let mut mine = descriptors_of(std::process::id().cast_signed());
    let with_pidfds = mine.len();
    mine.retain(|_, target| !target.contains("[pidfd]"));
    assert_eq!(with_pidfds, mine.len() + if has_pidfds() { 2 } else { 0 });
    let launched = launch(&request, &|| {
        // SAFETY: no argument.
        unsafe { libc::pause() }
    });
    let launched = launched.unwrap();
    // The caller hears that the App is inside before the App has closed the last of them, which it does before the callback.
    eventually(
        "it holds the caller's alone",
        Duration::from_secs(2),
        || descriptors_of(launched.app_pid) == mine,
    );
    rocker_testing::kill(launched.app_pid, libc::SIGKILL);
    wait_for(launched.app_pid);
    first.end();
}

fn the_app_keeps_the_caller_s_descriptors() {
    let _master = Master::start();
    fs::write("/run/secret", "opened by root").unwrap();
    let file = File::open("/run/secret").unwrap();
    let text = ask(&request(), &|| std::io::read_to_string(&file).unwrap());
    assert_eq!(text, "opened by root");
}

fn pidfds_are_those_of_app_and_guard() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    if !has_pidfds() {
        assert!(sandbox.launched.app_pidfd.is_none() && sandbox.launched.guard_pidfd.is_none());
        return sandbox.end();
    }
    let pid_of = |fd: i32| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
        pid.unwrap().trim().parse::<i32>().unwrap()
    };
    let app = sandbox.launched.app_pidfd.as_ref().unwrap().raw();
    let guard = sandbox.launched.guard_pidfd.as_ref().unwrap().raw();
    assert_eq!(pid_of(app), sandbox.app_pid());
    assert_eq!(pid_of(guard), sandbox.guard_pid());
    // SAFETY: integers and a null info.
    let killed = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, guard, libc::SIGKILL, 0, 0) };
    assert_eq!(killed, 0);
    assert_eq!(wait_for(sandbox.app_pid()), 128 + libc::SIGKILL);
}

fn a_caller_that_ignores_sigchld_works() {
    let _master = Master::start();
    // SAFETY: no handler is called.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let file = File::create("/run/out").unwrap();
    let launched = launch(&request(), &|| {
        std::io::Write::write_all(&mut &file, b"ran").unwrap();
        0
    });
    let launched = launched.unwrap();
    // The kernel reaps it; there is nothing to wait for but its end.
    eventually("the App is gone", Duration::from_secs(2), || {
        !is_there(launched.app_pid)
    });
    wait_for_guard(&launched);
    assert_eq!(fs::read_to_string("/run/out").unwrap(), "ran");
    // The case waits for its master.
    // SAFETY: no handler is called.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}
