//! How much a user may have at once, and that nobody's share is another's. Peers are processes of their own uid.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, POLICY_OF_1000, Peer, SOON, Steady, as_user, eventually, limit_descriptors,
    request, run_cases,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "a_user_has_as_many_sandboxes_as_it_may",
        a_user_has_as_many_sandboxes_as_it_may,
    ),
    (
        "a_user_has_as_many_launches_under_way_as_it_may",
        a_user_has_as_many_launches_under_way_as_it_may,
    ),
    ("what_ends_is_not_counted", what_ends_is_not_counted),
    (
        "users_of_a_section_are_counted_apart",
        users_of_a_section_are_counted_apart,
    ),
    ("root_may_be_limited_too", root_may_be_limited_too),
    (
        "users_leave_descriptors_to_root",
        users_leave_descriptors_to_root,
    ),
];

const NO_MORE_SANDBOXES: Failure = Failure::new(Stage::LIMIT, libc::EDQUOT);
const NO_MORE_LAUNCHES: Failure = Failure::new(Stage::LIMIT, libc::EAGAIN);

fn policy(peer: &str, sandboxes: u32, launches: u32) -> String {
    let policy = POLICY_OF_1000.replace("uid=1000", peer);
    format!("{policy}sandboxes {sandboxes}\nlaunches {launches}\n")
}

/// The request that everybody makes here, put together by root: it makes what it names.
fn start(policy: &str) -> (Master, Vec<u8>) {
    let packet = request().encode().unwrap().to_vec();
    (Master::start_with_policy(policy), packet)
}

/// A connection that has asked, and what it heard: a refusal, or that its sandbox waits for it.
fn ask(packet: &[u8]) -> (Peer, Option<Failure>) {
    let peer = Peer::connect().unwrap();
    // Refused before it was sent.
    peer.send(packet).unwrap_or_default();
    let refusal = peer.refusal(SOON);
    (peer, refusal)
}

/// Asks until it is served, which it is as soon as the guard of the one before is gone.
fn is_served_soon(packet: &[u8]) -> bool {
    eventually("there is room again", SOON, || ask(packet).1.is_none());
    true
}

fn a_user_has_as_many_sandboxes_as_it_may() {
    let (master, packet) = start(&policy("uid=1000", 3, 8));
    let status = as_user(1000, || {
        let mut held: Vec<_> = (0..3).map(|_| ask(&packet)).collect();
        assert!(held.iter().all(|(_, refusal)| refusal.is_none()));
        for _ in 0..10 {
            assert_eq!(ask(&packet).1, Some(NO_MORE_SANDBOXES));
        }
        held.pop();
        assert!(is_served_soon(&packet));
        0
    });
    assert_eq!(status, 0);
    eventually("no guard is left", SOON, || master.guards().is_empty());
}

fn a_user_has_as_many_launches_under_way_as_it_may() {
    let (_master, packet) = start(&policy("uid=1000", 64, 2));
    let status = as_user(1000, || {
        let mut silent: Vec<_> = (0..2).map(|_| Peer::connect().unwrap()).collect();
        for _ in 0..10 {
            assert_eq!(ask(&packet).1, Some(NO_MORE_LAUNCHES));
        }
        silent.pop();
        assert!(is_served_soon(&packet));
        0
    });
    assert_eq!(status, 0);
}

/// Whatever ends how: refused, silent, malformed, never joined.
fn what_ends_is_not_counted() {
    let (master, packet) = start(&policy("uid=1000", 2, 2));
    let status = as_user(1000, || {
        for _ in 0..50 {
            drop(Peer::connect().unwrap());
            eventually("a bad packet is refused for what it is", SOON, || {
                let peer = Peer::connect().unwrap();
                peer.send(b"no request").unwrap_or_default();
                peer.refusal(SOON) == Some(Failure::new(Stage::REQUEST, libc::EPROTO))
            });
            assert!(is_served_soon(&packet));
        }
        0
    });
    assert_eq!(status, 0);
    eventually("no guard is left", SOON, || master.guards().is_empty());
    let status = as_user(1000, || {
        let held = [ask(&packet), ask(&packet)];
        assert!(held.iter().all(|(_, refusal)| refusal.is_none()));
        assert_eq!(ask(&packet).1, Some(NO_MORE_SANDBOXES));
        0
    });
    assert_eq!(status, 0, "exactly two, as before");
}

fn users_of_a_section_are_counted_apart() {
    let (_master, packet) = start(&policy("uid=1000-1001", 1, 8));
    let status = as_user(1000, || {
        let _held = ask(&packet);
        assert_eq!(ask(&packet).1, Some(NO_MORE_SANDBOXES));
        0
    });
    assert_eq!(status, 0);
    let (mut ready, tell) = rocker_testing::pipe();
    // SAFETY: the case has one thread.
    let holder = unsafe { libc::fork() };
    if holder == 0 {
        rocker_testing::become_user(1000);
        let held = ask(&packet);
        assert!(held.1.is_none() || is_served_soon(&packet));
        std::io::Write::write_all(&mut (&tell), b".").unwrap();
        // SAFETY: waits to be killed with the case.
        unsafe { libc::pause() };
    }
    std::io::Read::read_exact(&mut ready, &mut [0]).unwrap();
    let status = as_user(1001, || {
        assert_eq!(ask(&packet).1, None);
        0
    });
    assert_eq!(status, 0);
    Steady::launch();
}

fn root_may_be_limited_too() {
    let (_master, packet) = start("[peer uid=0]\nsandboxes 1\n");
    let held = ask(&packet);
    assert_eq!(held.1, None);
    assert_eq!(ask(&packet).1, Some(NO_MORE_SANDBOXES));
}

/// A user that may have more than the master's descriptors are enough for.
fn users_leave_descriptors_to_root() {
    // The master is to have the case's.
    limit_descriptors(0, 160);
    let (_master, packet) = start(&policy("uid=1000", 4096, 4096));
    let full = Some(Failure::new(Stage::LIMIT, libc::EMFILE));
    let status = as_user(1000, || {
        let peers: Vec<_> = (0..120).map(|_| Peer::connect().unwrap()).collect();
        assert_eq!(peers.last().unwrap().refusal(SOON), full);
        drop(peers);
        assert!(is_served_soon(&packet));
        0
    });
    assert_eq!(status, 0);
    let (mut ready, tell) = rocker_testing::pipe();
    // SAFETY: the case has one thread.
    if unsafe { libc::fork() } == 0 {
        rocker_testing::become_user(1000);
        let _peers: Vec<_> = (0..120).map(|_| Peer::connect().unwrap()).collect();
        std::io::Write::write_all(&mut (&tell), b".").unwrap();
        // SAFETY: waits to be killed with the case.
        unsafe { libc::pause() };
    }
    std::io::Read::read_exact(&mut ready, &mut [0]).unwrap();
    let held: Vec<_> = (0..20).map(|_| ask(&packet)).collect();
    assert!(held.iter().all(|(_, refusal)| refusal.is_none()));
}
