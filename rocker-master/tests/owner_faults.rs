//! A client that is not root, on an older kernel, and when something on its way in fails.

use rocker_client::{Failure, NO_INDEX, Request, Stage};
use rocker_testing::{
    Caller, Case, Master, Program, Refusal, SETNS_BY_PIDFD, SOON, as_user, children_of, eventually,
    is_there, launch, refuse_calls, run_cases_on_this_kernel, start_for_app_master, wait_for,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_this_kernel(CASES)
}

const CASES: &[Case] = &[
    (
        "a_program_runs_before_linux_5_3",
        a_program_runs_before_linux_5_3,
    ),
    (
        "a_function_is_refused_before_linux_5_5",
        a_function_is_refused_before_linux_5_5,
    ),
    ("faults_on_the_way_in", faults_on_the_way_in),
];

const OLD: [Refusal; 9] = [
    Refusal::of(libc::SYS_clone3, libc::ENOSYS),
    Refusal::of(libc::SYS_openat2, libc::ENOSYS),
    Refusal::of(libc::SYS_open_tree, libc::ENOSYS),
    Refusal::of(libc::SYS_move_mount, libc::ENOSYS),
    Refusal::of(libc::SYS_mount_setattr, libc::ENOSYS),
    Refusal::of(libc::SYS_pidfd_open, libc::ENOSYS),
    Refusal::of(libc::SYS_close_range, libc::ENOSYS),
    SETNS_BY_PIDFD[0],
    SETNS_BY_PIDFD[1],
];

fn start() -> (Master, Request<'static>) {
    start_for_app_master("2000")
}

fn true_program() -> Program<'static> {
    Program {
        arguments: &["/bin/true"],
        ..Program::default()
    }
}

/// As an AppMaster: it gets this failure, and is as before.
fn must_fail(request: &Request<'_>, is_function: bool, expected: Failure) {
    let before = Caller::now();
    let result = if is_function {
        launch(request, &|| 0)
    } else {
        true_program().launch(request)
    };
    assert_eq!(result.unwrap_err(), expected);
    assert_eq!(Caller::now(), before);
    assert_eq!(children_of(std::process::id().cast_signed()), []);
}

fn no_guard_is_left(master: &Master) {
    eventually("no guard is left", SOON, || master.guards().is_empty());
}

fn a_program_runs_before_linux_5_3() {
    refuse_calls(&OLD);
    let (master, request) = start();
    let status = as_user(1000, || {
        for _ in 0..10 {
            let launched = true_program().launch(&request).unwrap();
            assert_eq!(wait_for(launched.app_pid), 0);
            eventually("the guard has ended", SOON, || {
                !is_there(launched.guard_pid)
            });
        }
        0
    });
    assert_eq!(status, 0);
    no_guard_is_left(&master);
}

fn a_function_is_refused_before_linux_5_5() {
    refuse_calls(&OLD);
    let (master, request) = start();
    let refused = Failure::new(Stage::FORK, libc::ENOSYS);
    let status = as_user(1000, || {
        must_fail(&request, true, refused);
        0
    });
    assert_eq!(status, 0);
    no_guard_is_left(&master);
}

const fn with(call: libc::c_long, argument: (u32, i32), errno: i32) -> Refusal {
    let (number, value) = argument;
    Refusal {
        call,
        argument: Some((number, value.cast_unsigned())),
        errno,
    }
}

fn faults_on_the_way_in() {
    let faults = [
        (
            with(libc::SYS_setns, (1, libc::CLONE_NEWUSER), libc::EPERM),
            Stage::JOIN_PID,
            NO_INDEX,
        ),
        (
            with(libc::SYS_setns, (1, libc::CLONE_NEWPID), libc::EPERM),
            Stage::JOIN_PID,
            NO_INDEX,
        ),
        (
            Refusal::of(libc::SYS_setgroups, libc::EPERM),
            Stage::GROUPS,
            NO_INDEX,
        ),
        (
            Refusal::of(libc::SYS_setresuid, libc::EAGAIN),
            Stage::IDENTITY,
            NO_INDEX,
        ),
        (
            Refusal::of(libc::SYS_capset, libc::EPERM),
            Stage::IDENTITY,
            NO_INDEX,
        ),
        (
            Refusal::of(libc::SYS_chdir, libc::EACCES),
            Stage::CHDIR,
            NO_INDEX,
        ),
    ];
    let (master, request) = start();
    for (refusal, stage, index) in faults {
        for is_function in [true, false] {
            let status = as_user(1000, || {
                // SAFETY: integers only. A filter takes it from who is not root.
                unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
                refuse_calls(&[refusal]);
                let expected = Failure::indexed(stage, refusal.errno, index);
                must_fail(&request, is_function, expected);
                0
            });
            assert_eq!(status, 0, "{refusal:?} {is_function}");
            no_guard_is_left(&master);
        }
    }
}
