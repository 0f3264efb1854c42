//! Apps that have as many descriptors on the way between processes as the kernel lets their user have (`unix(7)`).

use rocker_sys::{Errno, socket};
use rocker_testing::{
    Case, Master, Program, app_master, become_user, has_pidfds, kill, launch, limit_descriptors,
    pipe, request, run_cases_on_both_kernels, start_for_app_master, wait_for, wait_for_guard,
};
use std::io::{Read, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "they_stop_no_app_of_their_user",
        they_stop_no_app_of_their_user,
    ),
    (
        "they_stop_no_app_of_an_app_master_s",
        they_stop_no_app_of_an_app_master_s,
    ),
];

/// As many as a sender may have open: this process, and the guards, which have the master's limit.
const LIMIT: libc::rlim_t = 256;

/// Gives a process of this user, which is to be killed.
fn start_sender(uid: u32) -> i32 {
    let (mut begun, tell) = pipe();
    // SAFETY: the case has one thread.
    let sender = unsafe { libc::fork() };
    if sender == 0 {
        become_user(uid);
        let (ours, _theirs) = socket::pair().unwrap();
        let send = || socket::send(ours.raw(), b".", &[ours.raw(); socket::FDS_MAX]);
        let refused = std::iter::repeat_with(send).find_map(Result::err);
        assert_eq!(refused.map(Errno::raw), Some(libc::ETOOMANYREFS));
        (&tell).write_all(b".").unwrap();
        // SAFETY: waits to be killed.
        unsafe { libc::pause() };
    }
    begun.read_exact(&mut [0]).unwrap();
    sender
}

fn limit(master: &Master) {
    for pid in [0, master.pid()] {
        limit_descriptors(pid, LIMIT);
    }
}

fn they_stop_no_app_of_their_user() {
    let master = Master::start();
    limit(&master);
    let request = request();
    let sender = start_sender(request.uid);
    // From the second on a guard has work directories that the master is to clear.
    for _ in 0..4 {
        let launched = launch(&request, &|| 42).unwrap();
        assert_eq!(launched.app_pidfd.is_some(), has_pidfds());
        assert_eq!(wait_for(launched.app_pid), 42);
        wait_for_guard(&launched);
    }
    kill(sender, libc::SIGKILL);
}

/// Its guards are made in a user namespace that is the AppMaster's.
fn they_stop_no_app_of_an_app_master_s() {
    let (master, request) = start_for_app_master("1-65534");
    limit(&master);
    let sender = start_sender(request.uid);
    app_master(|| {
        let program = Program {
            arguments: &["/bin/sh", "-c", "exit 42"],
            ..Program::default()
        };
        for _ in 0..4 {
            let launched = program.launch(&request).unwrap();
            assert_eq!(wait_for(launched.app_pid), 42);
        }
    });
    kill(sender, libc::SIGKILL);
}
