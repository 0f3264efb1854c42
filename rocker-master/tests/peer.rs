//! Who may ask, and whom a client believes.

use rocker_client::{Failure, Stage};
use rocker_proto::{Entrance, Reply, Welcome};
use rocker_testing::{
    Case, Peer, SOCKET, Steady, become_user, descriptors_of, errno_of, eventually, in_fork, launch,
    make_dir, pipe, request, run_cases, wait_for,
};
use std::fs;
use std::io::{Read, Write};
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
    (
        "a_client_believes_root_and_itself_alone",
        a_client_believes_root_and_itself_alone,
    ),
    (
        "a_client_refuses_a_false_reply",
        a_client_refuses_a_false_reply,
    ),
    (
        "a_client_keeps_no_descriptor_of_a_false_reply",
        a_client_keeps_no_descriptor_of_a_false_reply,
    ),
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

/// A master of this uid, who answers each client with the next of these packets and hangs up. Gives its process id.
fn start_false_master(id: u32, answers: &[&[u8]]) -> i32 {
    start_master_with(id, answers, 0)
}

/// The same, with so many descriptors in each answer.
fn start_master_with(id: u32, answers: &[&[u8]], descriptors: usize) -> i32 {
    make_dir("/run/rocker", 0o777);
    let (mut ready, say_ready) = pipe();
    // SAFETY: the case has one thread.
    let master = unsafe { libc::fork() };
    if master == 0 {
        become_user(id);
        let listener = Peer::listen(SOCKET);
        fs::set_permissions(SOCKET, PermissionsExt::from_mode(0o666)).unwrap();
        (&say_ready).write_all(b".").unwrap();
        for answer in answers {
            let client = listener.accept();
            client.receive(Duration::from_secs(5));
            // A client that refuses the master has gone.
            client.send_with(answer, descriptors).unwrap_or_default();
        }
        // SAFETY: ends this fork.
        unsafe { libc::_exit(0) };
    }
    ready.read_exact(&mut [0]).unwrap();
    master
}

/// What a client of this uid makes of each answer.
fn ask_false_master(id: u32, client_id: u32, answers: &[&[u8]]) -> Vec<Failure> {
    let request = request();
    let master = start_false_master(id, answers);
    let (mut told, tell) = pipe();
    let status = in_fork(|| {
        become_user(client_id);
        for _ in answers {
            let failure = launch(&request, &|| 0).unwrap_err();
            let line = format!("{} {}\n", failure.stage.raw(), failure.errno);
            (&tell).write_all(line.as_bytes()).unwrap();
        }
        0
    });
    drop(tell);
    let mut text = String::new();
    told.read_to_string(&mut text).unwrap();
    assert_eq!((status, wait_for(master)), (0, 0), "{text}");
    fs::remove_file(SOCKET).unwrap();
    let of_line = |line: &str| {
        let (stage, errno) = line.split_once(' ').unwrap();
        let stage = Stage::from_raw(stage.parse().unwrap());
        Failure::new(stage, errno.parse().unwrap())
    };
    text.lines().map(of_line).collect()
}

/// A socket in the file system may be anybody's.
fn a_client_refuses_a_squatter() {
    let answers: &[&[u8]] = &[b"anything"];
    let refused = Failure::new(Stage::MASTER, libc::EPERM);
    assert_eq!(ask_false_master(1000, 0, answers), [refused]);
    assert_eq!(ask_false_master(1001, 1000, answers), [refused]);
}

fn a_client_believes_root_and_itself_alone() {
    let answers: &[&[u8]] = &[b"anything"];
    let believed = Failure::new(Stage::REPLY, libc::EPROTO);
    assert_eq!(ask_false_master(0, 0, answers), [believed]);
    assert_eq!(ask_false_master(1000, 1000, answers), [believed]);
    assert_eq!(ask_false_master(0, 1000, answers), [believed]);
}

/// READY without its descriptors among them.
fn a_client_refuses_a_false_reply() {
    let ready = |name, entrance| {
        Reply {
            outcome: Ok(Welcome { name, entrance }),
        }
        .encode()
    };
    let name = *b"rkfalse\0\0\0\0\0\0\0\0\0";
    let good = ready(name, Entrance::by_pidfd(0).one_by_one(true));
    let by_pidfd = ready(name, Entrance::by_pidfd(0));
    let no_name = ready([0; 16], Entrance::by_pidfd(0));
    let long = [0; 100];
    let answers: [&[u8]; 6] = [&good, &by_pidfd, &no_name, &good[..31], &long, b""];
    let failures = ask_false_master(0, 0, &answers);
    let reply = |errno| Failure::new(Stage::REPLY, errno);
    let expected = [
        reply(libc::EPROTO),
        reply(libc::EPROTO),
        reply(libc::EPROTO),
        reply(libc::EPROTO),
        reply(libc::EMSGSIZE),
        Failure::new(Stage::ANSWER, libc::ECONNRESET),
    ];
    assert_eq!(failures, expected);
}

/// Fewer than it expects, more, and more than fit its buffer (`MSG_CTRUNC`).
fn a_client_keeps_no_descriptor_of_a_false_reply() {
    let welcome = Welcome {
        name: *b"rkfalse\0\0\0\0\0\0\0\0\0",
        entrance: Entrance::by_pidfd(0).one_by_one(true),
    };
    let ready = Reply {
        outcome: Ok(welcome),
    }
    .encode();
    let request = request();
    for descriptors in [1, 4, 9, 253] {
        let master = start_master_with(0, &[&ready], descriptors);
        let before = descriptors_of(std::process::id().cast_signed());
        let failure = launch(&request, &|| 0).unwrap_err();
        let after = descriptors_of(std::process::id().cast_signed());
        assert_eq!(after, before, "{descriptors}");
        if descriptors > 8 {
            let truncated = Failure::new(Stage::REPLY, libc::EMSGSIZE);
            assert_eq!(failure, truncated, "{descriptors}");
        }
        assert_eq!(wait_for(master), 0);
        fs::remove_file(SOCKET).unwrap();
    }
}
