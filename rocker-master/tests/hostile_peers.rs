//! Peers that send anything but a request: nothing of it ends the master or costs it a descriptor, and honest launches go
//! on.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Peer, SOON, Steady, Traces, assert_within, eventually, limit_descriptors, request,
    run_cases,
};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "truncated_requests_are_refused",
        truncated_requests_are_refused,
    ),
    ("garbage_is_refused", garbage_is_refused),
    ("long_packets_are_refused", long_packets_are_refused),
    (
        "attached_descriptors_do_not_stay",
        attached_descriptors_do_not_stay,
    ),
    (
        "a_half_closed_connection_keeps_no_sandbox",
        a_half_closed_connection_keeps_no_sandbox,
    ),
    (
        "silent_peers_are_dropped_after_five_seconds",
        silent_peers_are_dropped,
    ),
    (
        "a_hundred_silent_peers_delay_nobody",
        a_hundred_silent_peers_delay_nobody,
    ),
    (
        "a_peer_that_leaves_at_once_costs_nothing",
        a_peer_that_leaves_at_once_costs_nothing,
    ),
    (
        "a_peer_that_never_joins_keeps_no_sandbox",
        a_peer_that_never_joins_keeps_no_sandbox,
    ),
    (
        "no_more_descriptors_is_an_answer",
        no_more_descriptors_is_an_answer,
    ),
];

fn good_packet() -> Vec<u8> {
    request().encode().unwrap().to_vec()
}

fn malformed() -> Option<Failure> {
    Some(Failure::new(Stage::REQUEST, libc::EPROTO))
}

fn truncated_requests_are_refused() {
    let steady = Steady::start();
    let packet = good_packet();
    for len in (1..packet.len()).step_by(3) {
        let peer = Peer::connect().unwrap();
        peer.send(&packet[..len]).unwrap();
        assert_eq!(peer.refusal(SOON), malformed(), "{len}");
    }
    steady.check();
}

fn garbage_is_refused() {
    let steady = Steady::start();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for len in (1..4096).step_by(31) {
        let random = |_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()[0]
        };
        let packet: Vec<u8> = (0..len).map(random).collect();
        let peer = Peer::connect().unwrap();
        peer.send(&packet).unwrap();
        assert_eq!(peer.refusal(SOON), malformed(), "{len}");
    }
    steady.check();
}

fn long_packets_are_refused() {
    let steady = Steady::start();
    let mut packet = good_packet();
    for len in [4097, 8192, 100_000] {
        packet.resize(len, 0);
        let peer = Peer::connect().unwrap();
        peer.send(&packet).unwrap();
        let refusal = peer.refusal(SOON);
        assert_eq!(
            refusal,
            Some(Failure::new(Stage::REQUEST, libc::EMSGSIZE)),
            "{len}"
        );
    }
    steady.check();
}

/// `SCM_MAX_FD` is 253.
fn attached_descriptors_do_not_stay() {
    let steady = Steady::start();
    for count in [1, 8, 9, 10, 11, 12, 253] {
        let peer = Peer::connect().unwrap();
        peer.send_with(b"no request", count).unwrap();
        assert!(peer.refusal(SOON).is_some(), "{count}");
        // Nor with a request that is one: eight are as many as any packet of ours brings.
        let peer = Peer::connect().unwrap();
        peer.send_with(&good_packet(), count).unwrap();
        let too_many = Some(Failure::new(Stage::REQUEST, libc::EMSGSIZE));
        assert_eq!(
            peer.refusal(SOON),
            too_many.filter(|_| count > 8),
            "{count}"
        );
    }
    steady.settle();
    steady.check();
}

fn a_half_closed_connection_keeps_no_sandbox() {
    let steady = Steady::start();
    // Nothing sent and nothing to come.
    let peer = Peer::connect().unwrap();
    peer.shut_down(libc::SHUT_WR);
    assert_eq!(peer.receive(SOON), b"", "who asks nothing is told nothing");
    assert_eq!(steady.master.log(), "");
    // A request, and nothing more to come: nobody could join its sandbox. There is none, if the master sees that in time.
    let peer = Peer::connect().unwrap();
    peer.send(&good_packet()).unwrap();
    peer.shut_down(libc::SHUT_WR);
    peer.receive(SOON);
    steady.settle();
    // A request whose answer nobody can hear.
    let peer = Peer::connect().unwrap();
    peer.shut_down(libc::SHUT_RD);
    peer.send(&good_packet()).unwrap_or_default();
    steady.settle();
    steady.check();
}

fn silent_peers_are_dropped() {
    let steady = Steady::start();
    let start = Instant::now();
    let peers: Vec<_> = (0..3).map(|_| Peer::connect().unwrap()).collect();
    for peer in &peers {
        let refusal = peer.refusal(Duration::from_secs(7));
        assert_eq!(refusal, Some(Failure::new(Stage::REQUEST, libc::ETIMEDOUT)));
    }
    let waited = start.elapsed();
    assert!((4900..6000).contains(&waited.as_millis()), "{waited:?}");
    steady.check();
}

fn a_hundred_silent_peers_delay_nobody() {
    let steady = Steady::start();
    let peers: Vec<_> = (0..100).map(|_| Peer::connect().unwrap()).collect();
    let start = Instant::now();
    Steady::launch();
    assert_within(SOON, start, "a launch");
    drop(peers);
    steady.check();
}

fn a_peer_that_leaves_at_once_costs_nothing() {
    let steady = Steady::start();
    let packet = good_packet();
    for round in 0..200 {
        let peer = Peer::connect().unwrap();
        if round % 2 == 0 {
            peer.send(&packet).unwrap();
        }
    }
    steady.settle();
    steady.check();
}

fn a_peer_that_never_joins_keeps_no_sandbox() {
    let steady = Steady::start();
    let before = Traces::now(Path::new("/run/data"));
    let peer = Peer::connect().unwrap();
    peer.send(&good_packet()).unwrap();
    assert!(!peer.receive(SOON).is_empty());
    assert_eq!(steady.master.guards().len(), 1);
    drop(peer);
    eventually("its guard has ended", Duration::from_millis(500), || {
        Traces::now(Path::new("/run/data")) == before
    });
    steady.check();
}

fn no_more_descriptors_is_an_answer() {
    let steady = Steady::start();
    limit_descriptors(steady.master.pid(), 32);
    let peers: Vec<_> = (0..32).map(|_| Peer::connect().unwrap()).collect();
    let full = Failure::new(Stage::LIMIT, libc::EMFILE);
    assert_eq!(peers.last().unwrap().refusal(SOON), Some(full));
    drop(peers);
    steady.check();
}
