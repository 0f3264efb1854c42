//! Who may ask, and whom a client believes.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Peer, SOCKET, Steady, become_user, errno_of, eventually, in_fork, launch, make_dir,
    request, run_cases, wait_for,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("a_user_cannot_connect", a_user_cannot_connect),
    (
        "a_user_who_gets_through_is_refused_and_logged",
        a_user_who_gets_through_is_refused,
    ),
    ("a_client_refuses_a_squatter", a_client_refuses_a_squatter),
];

fn as_user(work: impl FnOnce() -> i32) -> i32 {
    in_fork(|| {
        become_user(1000);
        work()
    })
}

fn a_user_cannot_connect() {
    let steady = Steady::start();
    let errno = as_user(|| errno_of(Peer::connect()).unwrap_or(0));
    assert_eq!(errno, libc::EACCES);
    steady.check();
}

fn a_user_who_gets_through_is_refused() {
    let steady = Steady::start();
    fs::set_permissions(SOCKET, PermissionsExt::from_mode(0o666)).unwrap();
    let request = request();
    // Often, because the master may answer before or after it has read the request.
    let status = as_user(|| {
        for _ in 0..50 {
            let failure = launch(&request, &|| 0).unwrap_err();
            assert_eq!(failure, Failure::new(Stage::PEER, libc::EPERM));
        }
        0
    });
    assert_eq!(status, 0);
    // The client is told before the log.
    eventually("each is logged", Duration::from_secs(2), || {
        steady.master.log().lines().count() == 50
    });
    let log = steady.master.log();
    assert!(
        log.lines()
            .all(|line| line.contains(" uid=1000 stage=peer errno=EPERM(1)")),
        "{log}"
    );
    steady.check();
}

fn a_client_refuses_a_squatter() {
    make_dir("/run/rocker", 0o777);
    let (mut ready, say_ready) = rocker_testing::pipe();
    // SAFETY: the case has one thread.
    let squatter = unsafe { libc::fork() };
    if squatter == 0 {
        become_user(1000);
        let _listening = Peer::listen(SOCKET);
        std::io::Write::write_all(&mut &say_ready, b".").unwrap();
        loop {
            // SAFETY: no argument.
            unsafe { libc::pause() };
        }
    }
    std::io::Read::read_exact(&mut ready, &mut [0]).unwrap();
    let failure = launch(&request(), &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::MASTER, libc::EPERM));
    rocker_testing::kill(squatter, libc::SIGKILL);
    wait_for(squatter);
}
