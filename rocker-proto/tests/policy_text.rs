//! How the policy's file is written, and what is said of one that is not.

use rocker_proto::Request;
use rocker_proto::policy::{PEERS_MAX, Policy};

const EXAMPLE: &str = include_str!("../../rocker-master/rocker.conf.example");

fn parse(text: &str) -> Policy {
    Policy::parse(text.as_bytes()).unwrap()
}

#[test]
fn every_mistake_has_its_place() {
    let rows: &[(&str, usize, usize, &str)] = &[
        ("socket-mod 0660", 1, 1, "require-signature socket-mode "),
        ("\n\n  what", 3, 3, "require-signature socket-mode "),
        ("package-dir /data", 1, 1, "require-signature socket-mode "),
        ("socket-mode", 1, 12, "a mode"),
        ("socket-mode 0888", 1, 13, "a mode"),
        ("socket-mode 01000", 1, 13, "a mode"),
        ("socket-mode rw", 1, 13, "a mode"),
        ("socket-mode 40000000000000000", 1, 13, "a mode"),
        ("socket-group wheel", 1, 14, "a number"),
        ("socket-group -1", 1, 14, "a number"),
        ("socket-group 4294967295", 1, 14, "a number"),
        ("socket-group 4294967296", 1, 14, "a number"),
        ("socket-group 1 2", 1, 14, "a number"),
        (
            "socket-group 0\n\tsocket-group 0",
            2,
            2,
            "each such key once",
        ),
        ("require-signature  maybe # ?", 1, 20, "yes or no"),
        ("[]", 1, 1, "[peer uid=N]"),
        ("[app uid=1]", 1, 1, "[peer uid=N]"),
        ("[peeruid=1]", 1, 1, "[peer uid=N]"),
        ("[peer]", 1, 1, "[peer uid=N]"),
        ("[peer pid=1]", 1, 1, "[peer uid=N]"),
        ("[peer uid=]", 1, 11, "N]"),
        ("[peer uid=1", 1, 11, "N]"),
        ("[peer uid=1]]", 1, 11, "N]"),
        ("[peer uid=1] x", 1, 11, "N]"),
        ("[peer uid=root]", 1, 11, "N]"),
        ("[peer uid=0-9]", 1, 11, "N]"),
        ("[peer gid=0]", 1, 11, "N]"),
        ("[peer uid=9-1]", 1, 11, "N]"),
        ("[peer uid=1-2-3]", 1, 11, "N]"),
        ("[peer uid=1-4294967295]", 1, 11, "N]"),
        (
            "[peer uid=1]\nsocket-mode 0660",
            2,
            1,
            "require-signature sandboxes ",
        ),
        ("[peer uid=1]\npackage-dir", 2, 12, "an absolute path"),
        ("[peer uid=1]\npackage-dir data", 2, 13, "an absolute path"),
        (
            "[peer uid=1]\npackage-dir /a/../b",
            2,
            13,
            "an absolute path",
        ),
        ("[peer uid=1]\nexec-dir /a/./b", 2, 10, "an absolute path"),
        ("[peer uid=1]\ndata-dir /a//b", 2, 10, "an absolute path"),
        ("[peer uid=1]\ndata-dir /a/", 2, 10, "an absolute path"),
        (
            "[peer uid=1]\noverlay-dir /a\u{7}",
            2,
            13,
            "an absolute path",
        ),
        ("[peer uid=1]\napp-uid 0", 2, 9, "N or N-M"),
        ("[peer uid=1]\napp-uid 1,2", 2, 9, "N or N-M"),
        ("[peer uid=1]\napp-gid 1-", 2, 9, "N or N-M"),
        ("[peer uid=1]\nseccomp default", 2, 9, "off, or"),
        ("[peer uid=1]\nsandboxes 0", 2, 11, "a number from 1"),
        ("[peer uid=1]\nsandboxes 4097", 2, 11, "a number from 1"),
        ("[peer uid=1]\nlaunches +1", 2, 10, "a number from 1"),
        (
            "[peer uid=1]\nlaunches 1\nlaunches 1",
            3,
            1,
            "each such key once",
        ),
        ("[peer uid=1]\ndata-size 4", 2, 11, "a size"),
        ("[peer uid=1]\ndata-size 0K", 2, 11, "a size"),
        ("[peer uid=1]\ndata-size 4096G", 2, 11, "a size"),
        (
            "\u{feff}socket-mode 0660",
            1,
            1,
            "require-signature socket-mode ",
        ),
        ("socket-mode 0660\0", 1, 13, "a mode"),
    ];
    for (text, line, column, expected) in rows {
        let mistake = Policy::parse(text.as_bytes()).unwrap_err();
        let place = (mistake.line, mistake.column);
        assert_eq!(place, (*line, *column), "{text:?}: {mistake:?}");
        assert!(
            mistake.expected.starts_with(expected),
            "{text:?}: {mistake:?}"
        );
    }
}

#[test]
fn thirty_two_sections_fit() {
    let full = "[peer uid=1]\n".repeat(PEERS_MAX);
    parse(&full);
    let mistake = Policy::parse((full + "[peer uid=2]").as_bytes()).unwrap_err();
    assert_eq!((mistake.line, mistake.column), (33, 1));
    assert_eq!(mistake.expected, "no more than 32 sections");
}

#[test]
fn blanks_and_ends_of_lines_are_free() {
    let policy = parse("socket-group\t  7  \r\n\r\n # x\r\n[peer   uid=5]\r\n sandboxes 2");
    assert_eq!(policy.socket_group(), 7);
    assert_eq!(policy.peer(5, 5).unwrap().sandboxes(), 2);
}

/// What there is to be said, the example says.
#[test]
fn the_example_names_every_key() {
    parse(EXAMPLE);
    let keys = |text: &str| {
        let mistake = Policy::parse(text.as_bytes()).unwrap_err();
        mistake.expected
    };
    for key in keys("?")
        .split(' ')
        .chain(keys("[peer uid=1]\n?").split(' '))
    {
        let is_said = EXAMPLE.lines().any(|line| line.starts_with(key));
        assert!(is_said, "{key}");
    }
}

const REQUEST: Request<'static> = Request {
    app_id: 1,
    uid: 10_000,
    gid: 10_000,
    package: c"/data/packages/a",
    exec_dir: c"/opt/app",
    data_dir: c"/data/apps",
    overlays: [Some(c"/etc"); 16],
    ..Request::DEFAULT
};

/// Whatever the bytes are: an answer, and the same again.
#[test]
fn no_text_breaks_the_reader() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = EXAMPLE.as_bytes().to_vec();
    for _ in 0..2_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let [byte, at @ ..] = seed.to_le_bytes();
        let at = u16::from_le_bytes([at[0], at[1]]);
        let at = usize::from(at) % text.len();
        text[at] = byte;
        if let Ok(policy) = Policy::parse(&text) {
            let peer = policy.peer(1000, 50);
            peer.map(|peer| peer.admit(&text, &REQUEST));
        } else if byte < 80 {
            text = EXAMPLE.as_bytes().to_vec();
        }
    }
}
