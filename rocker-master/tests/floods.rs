//! Users that send more than they should: root is served as before, and nothing of it stays with the master.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, POLICY_OF_1000, Peer, SOON, Steady, as_user, become_user, descriptors_of,
    eventually, kill, pipe, request, run_cases,
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
        "a_listed_user_that_launches_all_the_time_does_not_starve_root",
        a_listed_user_that_launches_all_the_time,
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

/// A process that does this as this user, so many times, when it is let.
struct User(i32);

impl User {
    fn new(uid: u32, rounds: u32, work: impl Fn()) -> Self {
        let (mut begun, tell) = pipe();
        // SAFETY: the case has one thread.
        let user = unsafe { libc::fork() };
        if user == 0 {
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
        kill(user, libc::SIGSTOP);
        Self(user)
    }

    /// What so many launches of root's take while these are at work.
    fn while_at_work(users: &[Self], mut launch: impl FnMut() -> Duration) -> Vec<Duration> {
        let tell = |signal| users.iter().for_each(|user| kill(user.0, signal));
        tell(libc::SIGCONT);
        let times = (0..LAUNCHES).map(|_| launch()).collect();
        tell(libc::SIGSTOP);
        times
    }

    fn end(self) {
        kill(self.0, libc::SIGKILL);
        rocker_testing::wait_for(self.0);
    }

    /// Waits until it has done all that it had to do.
    fn finish(self) {
        kill(self.0, libc::SIGCONT);
        assert_eq!(rocker_testing::wait_for(self.0), 0);
    }
}

/// How long the master keeps a package that nobody uses.
const CACHE_IDLE: Duration = Duration::from_secs(10);
const TURNS: usize = 5;
const LAUNCHES: usize = 12;
/// Where everybody wants the processors, a middle says little. What keeps root waiting does so each time.
const TRIES: usize = 3;

fn burn() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1) {}
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A user does this as fast as it can, which keeps two processes busy, its own and the master: root's launches take less than
/// twice what they take beside two that never say a word, which is the scheduler's to share out. In turns, so that what else
/// the machine does meets both.
fn check_flood(uid: u32, rounds: Option<u32>, work: impl Fn()) {
    let master = start();
    let at_rest = || {
        master.rest();
        descriptors_of(master.pid()).len()
    };
    Steady::launch();
    let before = at_rest();
    let mut most = 0;
    let mut launch = || {
        let start = Instant::now();
        Steady::launch();
        let time = start.elapsed();
        most = most.max(descriptors_of(master.pid()).len());
        time
    };
    let burners = [(); 2].map(|()| User::new(uid, u32::MAX, burn));
    let flood = [User::new(uid, rounds.unwrap_or(u32::MAX), work)];
    let mut is_spared = || {
        let (mut burned, mut flooded) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            burned.extend(User::while_at_work(&burners, &mut launch));
            flooded.extend(User::while_at_work(&flood, &mut launch));
        }
        let (burned, flooded) = (middle(burned), middle(flooded));
        println!("{flooded:?}, {burned:?} beside busy processes");
        flooded < burned * 2
    };
    assert!((0..TRIES).any(|_| is_spared()));
    let [_, _] = burners.map(User::end);
    let [_] = flood.map(if rounds.is_some() {
        User::finish
    } else {
        User::end
    });
    // Eight connections, and three for each guard: its own, its channel and its client.
    assert!(most < before + 8 + 3 * 8, "{most} of {before}");
    // The package may have been let go of meanwhile, or be mounted twice, until the one that nobody uses is let go of.
    eventually("nothing stays", CACHE_IDLE + SOON, || {
        Steady::launch();
        at_rest() == before
    });
}

fn ten_thousand_packets_of_descriptors() {
    check_flood(1000, Some(10_000), || {
        let peer = Peer::connect().unwrap();
        peer.send_with(b"no request", 253).unwrap_or_default();
    });
}

/// Before the backlog was short, root waited sixty times as long; before the master looked whether anybody waits for a
/// guard, four times.
fn a_listed_user_that_floods() {
    let packet = request().encode().unwrap();
    check_flood(1000, None, || {
        let peer = Peer::connect().unwrap();
        peer.send(&packet).unwrap_or_default();
    });
}

/// As many sandboxes as it may have, one after the other.
fn a_listed_user_that_launches_all_the_time() {
    let packet = request().encode().unwrap();
    check_flood(1000, None, || {
        let peer = Peer::connect().unwrap();
        if peer.send(&packet).is_ok() {
            peer.receive(SOON);
        }
    });
}

fn an_unlisted_user_that_floods() {
    check_flood(1001, None, || {
        Peer::connect().unwrap();
    });
}

fn five_hundred_silent_connections() {
    let master = start();
    Steady::launch();
    let (mut begun, tell) = pipe();
    master.rest();
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
    let start = Instant::now();
    let status = as_user(1001, || {
        for _ in 0..2000 {
            let peer = Peer::connect().unwrap();
            let refused = Failure::new(Stage::PEER, libc::EPERM);
            assert_eq!(peer.refusal(SOON), Some(refused));
        }
        0
    });
    assert_eq!(status, 0);
    // Each second, whole or not, one more, and one that says how many were left out; and what the master says of itself.
    let later = 2 * (start.elapsed().as_secs() as usize + 1);
    let lines = master.log().lines().count();
    assert!((64..68 + later).contains(&lines), "{lines}");
}
