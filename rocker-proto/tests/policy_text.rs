//! How the policy's file is written, and what is said of one that is not.

use rocker_proto::policy::{PEERS_MAX, Policy};

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
