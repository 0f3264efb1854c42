//! Who never answers is not waited for: ten seconds each way.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, Peer, Sandbox, Traces, eventually, kill, launch, request, run_cases, status_of,
};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[(
    "silent_clients_and_silent_masters_are_given_up",
    silent_clients_and_silent_masters_are_given_up,
)];

/// Both deadlines in one case, because both take ten seconds: a client that has its sandbox and never joins, and a client
/// whose master does not answer.
fn silent_clients_and_silent_masters_are_given_up() {
    let mut master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    let before = Traces::now(Path::new("/run/data"));
    let start = Instant::now();
    let silent = Peer::connect().unwrap();
    silent.send(&request.encode().unwrap()).unwrap();
    assert!(!silent.receive(Duration::from_secs(2)).is_empty());
    let [guard] = master.guards()[..] else {
        panic!("no guard");
    };
    kill(master.pid(), libc::SIGSTOP);

    let failure = launch(&request, &|| 0).unwrap_err();

    assert_eq!(failure, Failure::new(Stage::ANSWER, libc::ETIMEDOUT));
    let waited = start.elapsed();
    assert!((9_500..12_000).contains(&waited.as_millis()), "{waited:?}");
    // Its master is stopped, so nobody has reaped it yet.
    eventually("the guard has given up", Duration::from_secs(2), || {
        status_of(guard, "State").starts_with('Z')
    });
    kill(master.pid(), libc::SIGCONT);
    drop(silent);
    eventually("all is as before", Duration::from_secs(2), || {
        Traces::now(Path::new("/run/data")) == before
    });
    assert!(master.is_alive());
    Sandbox::start(&request).end();
}
