//! Every step of a client fails once: the exact stage, errno and index; the caller is as it was, and nothing is left.
//!
//! A seccomp filter makes a system call fail in the client and in the App to be, but not in the master, which runs already.

use rocker_client::{Failure, NO_INDEX, Request, Seccomp, Stage};
use rocker_testing::{
    ALL_NAMESPACES, Caller, Case, Master, Refusal, SETNS_BY_PIDFD, Sandbox, Traces, assert_within,
    eventually, in_fork, launch, launch_function, refuse_calls, request, run_cases, wait_for,
};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("faults_of_asking", || check(&ASKING)),
    ("faults_of_the_fork", || check(&FORK)),
    ("faults_of_joining", || check(&JOINING)),
    ("faults_of_joining_by_pidfd", || check(&BY_PIDFD)),
    ("faults_of_joining_by_namespaces", || {
        refuse_calls(&SETNS_BY_PIDFD);
        check(&BY_NAMESPACES);
    }),
    (
        "a_policy_that_cannot_be_put_into_force_ends_the_function",
        a_policy_that_cannot_be_put_into_force,
    ),
    ("an_address_that_is_too_long", an_address_that_is_too_long),
    (
        "root_without_cap_sys_ptrace_gets_in",
        root_without_cap_sys_ptrace_gets_in,
    ),
];

type Fault = (Refusal, Stage, u16);

const fn of(call: libc::c_long, errno: i32, stage: Stage) -> Fault {
    (Refusal::of(call, errno), stage, NO_INDEX)
}

const fn with(call: libc::c_long, argument: (u32, i32), errno: i32, stage: Stage) -> Fault {
    let (number, value) = argument;
    let refusal = Refusal {
        call,
        argument: Some((number, value.cast_unsigned())),
        errno,
    };
    (refusal, stage, NO_INDEX)
}

const fn joining(kind: i32, index: u16) -> Fault {
    let (refusal, stage, _) = with(libc::SYS_setns, (1, kind), libc::EPERM, Stage::JOIN);
    (refusal, stage, index)
}

const ASKING: [Fault; 4] = [
    of(libc::SYS_socket, libc::EMFILE, Stage::SOCKET),
    of(libc::SYS_connect, libc::EACCES, Stage::CONNECT),
    with(
        libc::SYS_getsockopt,
        (2, libc::SO_PEERCRED),
        libc::ENOPROTOOPT,
        Stage::MASTER,
    ),
    of(libc::SYS_sendmsg, libc::ENOBUFS, Stage::SEND),
];

const FORK: [Fault; 4] = [
    of(libc::SYS_socketpair, libc::EMFILE, Stage::PLUMBING),
    of(libc::SYS_openat, libc::EMFILE, Stage::PLUMBING),
    with(
        libc::SYS_setns,
        (1, libc::CLONE_NEWPID),
        libc::EPERM,
        Stage::JOIN_PID,
    ),
    of(libc::SYS_clone, libc::EAGAIN, Stage::FORK),
];

const BY_PIDFD: [Fault; 1] = [joining(ALL_NAMESPACES, 0)];

const BY_NAMESPACES: [Fault; 5] = [
    joining(libc::CLONE_NEWNS, 0),
    joining(libc::CLONE_NEWCGROUP, 1),
    joining(libc::CLONE_NEWUTS, 2),
    joining(libc::CLONE_NEWIPC, 3),
    joining(libc::CLONE_NEWUSER, 4),
];

const JOINING: [Fault; 9] = [
    of(libc::SYS_pidfd_open, libc::EMFILE, Stage::ANNOUNCE),
    of(libc::SYS_setgroups, libc::EPERM, Stage::GROUPS),
    with(
        libc::SYS_prctl,
        (0, libc::PR_SET_DUMPABLE),
        libc::EPERM,
        Stage::IDENTITY,
    ),
    with(
        libc::SYS_prctl,
        (0, libc::PR_SET_NO_NEW_PRIVS),
        libc::EPERM,
        Stage::IDENTITY,
    ),
    of(libc::SYS_setresgid, libc::EPERM, Stage::IDENTITY),
    of(libc::SYS_setresuid, libc::EAGAIN, Stage::IDENTITY),
    of(libc::SYS_capset, libc::EPERM, Stage::IDENTITY),
    of(libc::SYS_chdir, libc::EACCES, Stage::CHDIR),
    NO_MEMORY_FOR_THE_FILTER,
];

const NO_MEMORY_FOR_THE_FILTER: Fault = with(
    libc::SYS_prctl,
    (0, libc::PR_SET_SECCOMP),
    libc::ENOMEM,
    Stage::SECCOMP,
);

fn check(faults: &[Fault]) {
    let _master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    for fault in faults {
        let before = Traces::now(Path::new("/run/data"));
        assert_eq!(
            in_fork(|| launch_must_fail(&request, fault)),
            0,
            "{fault:?}"
        );
        eventually(
            &format!("all is as before {fault:?}"),
            Duration::from_secs(2),
            || Traces::now(Path::new("/run/data")) == before,
        );
    }
}

/// In a fork, because a filter is for life.
fn launch_must_fail(request: &Request<'_>, (refusal, stage, index): &Fault) -> i32 {
    // What cannot be seen under the filter cannot be compared.
    let can_look = refusal.call != libc::SYS_openat;
    refuse_calls(&[*refusal]);
    let before = can_look.then(Caller::now);
    let start = Instant::now();
    let failure = launch(request, &|| 0).unwrap_err();
    assert_within(Duration::from_secs(2), start, "a launch that fails");
    assert_eq!(failure, Failure::indexed(*stage, refusal.errno, *index));
    assert_eq!(can_look.then(Caller::now), before);
    0
}

/// A policy may refuse what tells the caller, so it comes after that.
fn a_policy_that_cannot_be_put_into_force() {
    let _master = Master::start();
    std::fs::write("/run/app.policy", "read: 1\n").unwrap();
    let request = Request {
        seccomp: Seccomp::FILE,
        policy: c"/run/app.policy",
        ..request()
    };
    let status = in_fork(|| {
        refuse_calls(&[NO_MEMORY_FOR_THE_FILTER.0]);
        let launched = launch(&request, &|| panic!("without its filter")).unwrap();
        wait_for(launched.app_pid)
    });
    assert_eq!(status, 127);
}

extern "C" fn never(_: *mut std::ffi::c_void) -> i32 {
    0
}

fn an_address_that_is_too_long() {
    let long = rocker_testing::c_path(format!("/run/{}", "x".repeat(103)));
    let failure = launch_function(&long, &request(), never).unwrap_err();
    assert_eq!(
        failure,
        Failure::new(Stage::SOCKET_PATH, libc::ENAMETOOLONG)
    );
    // One byte less is an address, at which nobody listens.
    let fits = rocker_testing::c_path(format!("/run/{}", "x".repeat(102)));
    let failure = launch_function(&fits, &request(), never).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::CONNECT, libc::ENOENT));
}

/// As a service manager starts a service whose capabilities it has cut down.
fn root_without_cap_sys_ptrace_gets_in() {
    const CAP_SYS_PTRACE: u32 = 19;
    let _master = Master::start();
    let request = request();
    let status = in_fork(|| {
        // capset(2), version 3: the header, then effective, permitted and inheritable of the low half, then of the high.
        let header = [0x2008_0522u32, 0];
        let mut sets = [0u32; 6];
        // SAFETY: a header is read, and two structures of three numbers are written.
        let got = unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) };
        sets[0] &= !(1 << CAP_SYS_PTRACE);
        sets[1] &= !(1 << CAP_SYS_PTRACE);
        // SAFETY: as above; both are read.
        let set = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
        assert_eq!((got, set), (0, 0));
        Sandbox::start(&request).end();
        0
    });
    assert_eq!(status, 0);
}
