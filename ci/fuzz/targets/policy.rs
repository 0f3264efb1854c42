//! The master's policy file. A mistake is told at a place that the file has; a file that is read means the same with
//! comments and empty lines, and what a peer may have does not depend on them either; who is not named may have nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rocker_proto::Request;
use rocker_proto::policy::Policy;

const REQUEST: Request<'static> = Request {
    app_id: 1,
    uid: 10_000,
    gid: 10_000,
    package: c"/data/packages/a.sqfs",
    exec_dir: c"/run/apps/a",
    data_dir: c"/data/apps/a",
    ..Request::DEFAULT
};

/// Every line, with an empty one before it and a comment behind it.
fn spread(text: &[u8]) -> Vec<u8> {
    let mut spread = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        spread.push(b'\n');
        spread.extend_from_slice(line);
        spread.extend_from_slice(b" # said\n");
    }
    spread
}

fn check_mistake(text: &[u8], line: usize, column: usize) {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    let line = lines
        .get(line.wrapping_sub(1))
        .expect("a line that the file has not got");
    assert!(
        (1..=line.len() + 1).contains(&column),
        "a column that the line has not got"
    );
}

fuzz_target!(|text: &[u8]| {
    let spread = spread(text);
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(mistake) => {
            assert!(!mistake.expected.is_empty());
            check_mistake(text, mistake.line, mistake.column);
            assert!(Policy::parse(&spread).is_err());
            return;
        }
    };
    let same = Policy::parse(&spread).expect("a comment is a mistake");
    assert!(policy.socket_mode() <= 0o777 && policy.socket_mode() == same.socket_mode());
    assert_eq!(policy.socket_group(), same.socket_group());
    for (uid, gid) in [(0, 0), (0, 1000), (1000, 1000), (1000, 0), (65_534, 5)] {
        let (Some(peer), Some(twin)) = (policy.peer(uid, gid), same.peer(uid, gid)) else {
            assert!(policy.peer(uid, gid).is_none() && same.peer(uid, gid).is_none() && uid != 0);
            continue;
        };
        assert_eq!(
            policy.requires_signature(peer),
            same.requires_signature(twin)
        );
        assert_eq!(
            (peer.sandboxes(), peer.launches()),
            (twin.sandboxes(), twin.launches())
        );
        assert_eq!(peer.admit(text, &REQUEST), twin.admit(&spread, &REQUEST));
        let elsewhere = Request {
            package: c"/nowhere",
            ..REQUEST
        };
        let named = text.windows(8).any(|word| word == b"/nowhere");
        let all = text
            .windows(2)
            .any(|word| matches!(word, b" /" | b"\t/" | b"\r/" | b"\x0c/" | b"\x0b/"));
        assert!(
            uid == 0 || named || all || peer.admit(text, &elsewhere).is_err(),
            "allowed and not named"
        );
    }
});
