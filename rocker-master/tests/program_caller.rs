//! Joining by path borrows the caller's memory: what it costs the caller, and that everything is given back.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Caller, Case, Master, Program, Refusal, in_fork, launch, refuse_calls, request, run_cases,
    wait_for,
};
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("the_caller_is_as_before", the_caller_is_as_before),
    (
        "the_caller_is_as_before_a_failure",
        the_caller_is_as_before_a_failure,
    ),
    (
        "two_threads_at_once_leave_the_caller_dumpable",
        two_threads_leave_the_caller_dumpable,
    ),
    ("a_large_caller_costs_no_more", a_large_caller_costs_no_more),
    ("faults_of_joining", faults_of_joining),
];

fn the_caller_is_as_before() {
    let _master = Master::start();
    let request = request();
    let before = Caller::now();
    let program = Program {
        arguments: &["/bin/true"],
        ..Program::default()
    };
    let launched = program.launch(&request).unwrap();
    wait_for(launched.app_pid);
    drop(launched);
    assert_eq!(Caller::now(), before);
}

fn the_caller_is_as_before_a_failure() {
    let _master = Master::start();
    let request = request();
    let before = Caller::now();
    let program = Program {
        arguments: &["/run/missing"],
        ..Program::default()
    };
    program.launch(&request).unwrap_err();
    assert_eq!(Caller::now(), before);
    // Nor a zombie.
    // SAFETY: no status is written to the null pointer. WNOHANG finds the master, which has not changed.
    let changed = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
    assert_eq!(changed, 0);
}

fn two_threads_leave_the_caller_dumpable() {
    let _master = Master::start();
    let request = request();
    let before = Caller::now();
    let program = Program {
        arguments: &["/bin/true"],
        ..Program::default()
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let launched = program.launch(&request).unwrap();
                    assert_eq!(wait_for(launched.app_pid), 0);
                }
            });
        }
    });
    let after = Caller::now();
    assert_eq!(after, before);
}

fn time_launch(request: &rocker_client::Request<'_>) -> Duration {
    let program = Program {
        arguments: &["/bin/true"],
        ..Program::default()
    };
    let start = Instant::now();
    let launched = program.launch(request).unwrap();
    let took = start.elapsed();
    wait_for(launched.app_pid);
    rocker_testing::wait_for_guard(&launched);
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A smoke test: a fork of such a caller copies fifty thousand page table entries, which takes milliseconds, each time. What a
/// busy machine adds it adds now and then.
fn a_large_caller_costs_no_more() {
    let _master = Master::start();
    let request = request();
    let least = (0..3)
        .map(|_| cost_of_size(&request))
        .min_by(f64::total_cmp);
    assert!(least.unwrap() < 1.5, "{least:?}");
}

/// Small and large take turns, so that what else the machine does meets both.
fn cost_of_size(request: &rocker_client::Request<'_>) -> f64 {
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        small.extend((0..4).map(|_| time_launch(request)));
        let memory = std::hint::black_box(vec![1u8; 200 << 20]);
        large.extend((0..4).map(|_| time_launch(request)));
        drop(memory);
    }
    median(large).as_secs_f64() / median(small).as_secs_f64()
}

const NO_MEMORY_FOR_THE_FILTER: Refusal = Refusal {
    call: libc::SYS_prctl,
    argument: Some((0, libc::PR_SET_SECCOMP.cast_unsigned())),
    errno: libc::ENOMEM,
};

/// The same steps as of a callback, on borrowed memory.
fn faults_of_joining() {
    let _master = Master::start();
    let request = request();
    let rows = [
        (Refusal::of(libc::SYS_clone, libc::EAGAIN), Stage::FORK),
        (Refusal::of(libc::SYS_setgroups, libc::EPERM), Stage::GROUPS),
        (
            Refusal::of(libc::SYS_setresuid, libc::EAGAIN),
            Stage::IDENTITY,
        ),
        (Refusal::of(libc::SYS_chdir, libc::EACCES), Stage::CHDIR),
        (NO_MEMORY_FOR_THE_FILTER, Stage::SECCOMP),
        (Refusal::of(libc::SYS_execve, libc::E2BIG), Stage::EXEC),
    ];
    for (refusal, stage) in rows {
        let status = in_fork(|| {
            refuse_calls(&[refusal]);
            let before = Caller::now();
            let program = Program {
                arguments: &["/bin/true"],
                ..Program::default()
            };
            let failure = program.launch(&request).unwrap_err();
            assert_eq!(failure, Failure::new(stage, refusal.errno));
            assert_eq!(Caller::now(), before);
            0
        });
        assert_eq!(status, 0, "{}", stage.name());
    }
    assert_eq!(wait_for(launch(&request, &|| 4).unwrap().app_pid), 4);
}
