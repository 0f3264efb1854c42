//! Users that send more than they should: root is served as before, and nothing of it stays with the master.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, POLICY_OF_1000, Peer, SOON, Steady, as_user, become_user, children_of,
    descriptors_of, eventually, kill, pipe, request, run_cases, wait_for_master,
};
use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "five_hundred_silent_connections_take_eight_places",
        five_hundred_silent_connections,
    ),
    (
        "ten_thousand_packets_of_253_descriptors_leave_none",
        ten_thousand_packets_of_descriptors,
    ),
    (
        "a_listed_user_that_floods_does_not_starve_root",
        a_listed_user_that_floods,
    ),
    (
        "an_unlisted_user_that_floods_does_not_starve_root",
        an_unlisted_user_that_floods,
    ),
    (
        "a_flood_of_refusals_is_no_flood_of_lines",
        a_flood_of_refusals_is_no_flood_of_lines,
    ),
];

/// Uid 1000 may have four sandboxes.
fn start() -> Master {
    Master::start_with_policy(&format!("{POLICY_OF_1000}sandboxes 4\n"))
}

/// A process that does this as this user, so many times; it has begun when this returns.
fn start_flood(uid: u32, rounds: u32, work: impl Fn()) -> i32 {
    let (mut begun, tell) = pipe();
    // SAFETY: the case has one thread.
    let flood = unsafe { libc::fork() };
    if flood == 0 {
        // The processor's time is the scheduler's to share out; this is about the master's.
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) }, 0);
        become_user(uid);
        for round in 0..rounds {
            work();
            if round == 0 {
                (&tell).write_all(b".").unwrap();
            }
        }
        // SAFETY: ends this fork.
        unsafe { libc::_exit(0) };
    }
    begun.read_exact(&mut [0]).unwrap();
    flood
}

/// How long a launch of root's takes, the middle of many, and the most descriptors that the master had meanwhile.
fn launch_often(master: &Master) -> (Duration, usize) {
    let mut most = 0;
    let mut launch = || {
        let start = Instant::now();
        Steady::launch();
        let time = start.elapsed();
        most = most.max(descriptors_of(master.pid()).len());
        time
    };
    let mut times: Vec<_> = (0..31).map(|_| launch()).collect();
    times.sort();
    (times[15], most)
}

/// What root's launches take while a user does this, against what they take at rest. The flood ends if `rounds` are over,
/// and else when root is done.
fn flood(uid: u32, rounds: Option<u32>, work: impl Fn()) -> (Duration, Duration) {
    let master = start();
    let at_rest = || {
        eventually("no guard is left", SOON, || {
            children_of(master.pid()).is_empty()
        });
        descriptors_of(master.pid()).len()
    };
    Steady::launch();
    let before = at_rest();
    let (quiet, _) = launch_often(&master);
    let flood = start_flood(uid, rounds.unwrap_or(u32::MAX), work);
    let (flooded, most) = launch_often(&master);
    if rounds.is_none() {
        kill(flood, libc::SIGKILL);
    }
    let ended = rocker_testing::wait_for(flood);
    assert!(matches!(ended, 0 | 137), "{ended}");
    // Eight connections, and three for each guard: its own, its channel and its client.
    assert!(most < before + 8 + 3 * 8, "{most} of {before}");
    eventually("nothing stays", SOON, || at_rest() == before);
    (quiet, flooded)
}

fn ten_thousand_packets_of_descriptors() {
    let (quiet, flooded) = flood(1000, Some(10_000), || {
        let peer = Peer::connect().unwrap();
        peer.send_with(b"no request", 253).unwrap_or_default();
    });
    let limit = quiet * 4 + Duration::from_millis(20);
    assert!(flooded < limit, "{flooded:?}, not {quiet:?}");
}

/// Before the backlog was short, root waited sixty times as long.
fn a_listed_user_that_floods() {
    let packet = request().encode().unwrap();
    let (quiet, flooded) = flood(1000, None, || {
        let peer = Peer::connect().unwrap();
        peer.send(&packet).unwrap_or_default();
    });
    let limit = quiet * 10 + Duration::from_millis(50);
    assert!(flooded < limit, "{flooded:?}, not {quiet:?}");
}

fn an_unlisted_user_that_floods() {
    let (quiet, flooded) = flood(1001, None, || {
        Peer::connect().unwrap();
    });
    let limit = quiet * 10 + Duration::from_millis(50);
    assert!(flooded < limit, "{flooded:?}, not {quiet:?}");
}

fn five_hundred_silent_connections() {
    let master = start();
    Steady::launch();
    let (mut begun, tell) = pipe();
    eventually("no guard is left", SOON, || {
        children_of(master.pid()).is_empty()
    });
    wait_for_master();
    let before = descriptors_of(master.pid()).len();
    // SAFETY: the case has one thread.
    let flood = unsafe { libc::fork() };
    if flood == 0 {
        become_user(1000);
        let peers: Vec<_> = (0..500).map(|_| Peer::connect().unwrap()).collect();
        let full = Failure::new(Stage::LIMIT, libc::EAGAIN);
        for peer in &peers[8..] {
            assert_eq!(peer.refusal(SOON), Some(full));
        }
        (&tell).write_all(b".").unwrap();
        // SAFETY: waits to be killed.
        unsafe { libc::pause() };
    }
    begun.read_exact(&mut [0]).unwrap();
    eventually("eight are held", SOON, || {
        descriptors_of(master.pid()).len() == before + 8
    });
    let start = Instant::now();
    Steady::launch();
    assert!(start.elapsed() < SOON / 4, "{:?}", start.elapsed());
    kill(flood, libc::SIGKILL);
    eventually("none is held", SOON, || {
        descriptors_of(master.pid()).len() == before
    });
}

fn a_flood_of_refusals_is_no_flood_of_lines() {
    let master = start();
    let status = as_user(1001, || {
        for _ in 0..2000 {
            let peer = Peer::connect().unwrap();
            let refused = Failure::new(Stage::PEER, libc::EPERM);
            assert_eq!(peer.refusal(SOON), Some(refused));
        }
        0
    });
    assert_eq!(status, 0);
    let lines = master.log().lines().count();
    assert!((64..80).contains(&lines), "{lines}");
}
