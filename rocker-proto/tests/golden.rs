//! The bytes of every message, written out: a change of one of them is a change of the protocol.

use rocker_proto::{
    CacheReply, CacheRequest, Data, DataMode, Entrance, ExecReply, ExecRequest, Failure, Joined,
    Network, Reply, Report, Request, Seccomp, Stage, Welcome,
};

fn request() -> Request<'static> {
    let mut overlays = [None; 16];
    overlays[0] = Some(c"/etc");
    overlays[2] = Some(c"/var");
    Request {
        app_id: 1000,
        uid: 65536,
        gid: 258,
        package: c"/a.sqfs",
        exec_dir: c"/var/x",
        data_dir: c"/d",
        overlays,
        ..Request::DEFAULT
    }
}

#[test]
fn request_bytes() {
    let mut expected = Vec::new();
    expected.extend_from_slice(b"RKQ\0\x04\x00\x5c\x00");
    expected.extend_from_slice(b"\xe8\x03\0\0\0\0\x01\0\x02\x01\0\0");
    expected.extend_from_slice(&[0; 8]);
    expected.extend_from_slice(b"\x08\0\x07\0\x03\0\0\0");
    expected.extend_from_slice(b"\x05\0\0\0\x05\0");
    expected.extend_from_slice(&[0; 26]);
    expected.extend_from_slice(b"/a.sqfs\0/var/x\0/d\0/etc\0/var\0");
    expected[6] = u8::try_from(expected.len()).unwrap();
    let packet = request().encode().unwrap();
    assert_eq!(packet.as_slice(), expected);
    assert_eq!(Request::decode(&packet), Ok(request()));
}

#[test]
fn may_trace_is_a_bit_beside_those_of_the_data() {
    let mut packet = request().encode().unwrap();
    Request::set_may_trace(&mut packet);
    assert_eq!(packet[25], 0x80);
    let asked = Request {
        may_trace: true,
        ..request()
    };
    assert_eq!(Request::decode(&packet), Ok(asked));
    assert_eq!(asked.encode().unwrap(), packet);
}

#[test]
fn data_bytes() {
    let request = Request {
        data_dir: c"",
        data: Data {
            mode: DataMode::TMPFS,
            flags: 0,
            size_kib: 0x0102_0304,
        },
        ..request()
    };
    let packet = request.encode().unwrap();
    assert_eq!(packet[20..26], [4, 3, 2, 1, 1, 0]);
    assert_eq!(packet[32..34], [0, 0]);
    assert_eq!(Request::decode(&packet), Ok(request));
    let numbers = [DataMode::DISK, DataMode::TMPFS, DataMode::VOLATILE].map(DataMode::raw);
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!([Data::KEEP, Data::NO_OVERLAYS], [1, 2]);
}

#[test]
fn choice_bytes() {
    let request = Request {
        seccomp: Seccomp::FILE.logged(),
        policy: c"/p",
        network: Network::NONE,
        tied: true,
        ..request()
    };
    let packet = request.encode().unwrap();
    assert_eq!(packet[24..28], [0, 0x40, 0x83, 1]);
    assert_eq!(packet[34..36], [3, 0]);
    assert_eq!(packet[68 + 18..][..3], *b"/p\0");
    assert_eq!(Request::decode(&packet), Ok(request));
    let filters = [
        Seccomp::DEFAULT,
        Seccomp::STRICT,
        Seccomp::OFF,
        Seccomp::FILE,
    ];
    assert_eq!(filters.map(Seccomp::raw), [0, 1, 2, 3]);
    let networks = [Network::HOST, Network::NONE].map(Network::raw);
    assert_eq!(networks, [0, 1]);
}

#[test]
fn reply_bytes() {
    let mut name = [0; 16];
    name[..8].copy_from_slice(b"rocker:1");
    let welcome = |entrance| Reply {
        outcome: Ok(Welcome { name, entrance }),
    };
    let by_pidfd = Entrance::by_pidfd(0x4200_0000);
    let ready = welcome(by_pidfd);
    assert_eq!(
        &ready.encode(),
        b"RKA\0\x04\0\0\0\0\0\0\0\xff\xff\x03\x5erocker:1\0\0\0\0\0\0\0\0"
    );
    assert_eq!(Reply::decode(&ready.encode()), Some(ready));
    for (has_pidfd, low) in [(false, 0x02), (true, 0x03)] {
        let ready = welcome(by_pidfd.one_by_one(has_pidfd));
        assert_eq!(ready.encode()[12..16], [0xff, 0xff, low, 0x7e]);
        assert_eq!(Reply::decode(&ready.encode()), Some(ready));
    }

    let failed = Reply {
        outcome: Err(Failure::indexed(Stage::MOUNT_OVERLAY, 22, 2)),
    };
    let mut expected = *b"RKA\0\x04\0\x29\0\x16\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(failed.encode(), expected);
    assert_eq!(Reply::decode(&expected), Some(failed));
    expected[14] = 1;
    assert_eq!(Reply::decode(&expected), None);
}

#[test]
fn report_bytes() {
    let report = Report(Failure::indexed(Stage::LAYERS, 30, 7));
    assert_eq!(report.encode(), [39, 0, 7, 0, 30, 0, 0, 0]);
    assert_eq!(Report::decode(&report.encode()), Some(report));
    assert_eq!(
        Report::reached(Stage::MAPS).encode(),
        [1, 0, 255, 255, 0, 0, 0, 0]
    );
}

#[test]
fn joined_bytes() {
    assert_eq!(&Joined.encode(), b"RKJ\0\x04\0");
    assert_eq!(Joined::decode(b"RKJ\0\x04\0"), Some(Joined));
}

#[test]
fn cache_bytes() {
    assert_eq!(&CacheRequest::List.encode(), b"RKC\0\x04\0\x01\0");
    assert_eq!(&CacheRequest::Drop.encode(), b"RKC\0\x04\0\x02\0");
    let entry = CacheReply {
        users: 3,
        idle_ms: 0x0102_0304,
        package: Some(c"/a"),
    };
    let bytes = b"RKP\0\x04\0\x03\0\x03\0\0\0\x04\x03\x02\x01/a\0";
    assert_eq!(entry.encode().unwrap().as_slice(), bytes);
    assert_eq!(CacheReply::decode(bytes), Some(entry));
}

#[test]
fn exec_bytes() {
    let request = ExecRequest {
        name: *b"rk0123456abcdef\0",
    };
    let bytes = b"RKE\0\x04\0rk0123456abcdef\0";
    assert_eq!(&request.encode(), bytes);
    assert_eq!(ExecRequest::decode(bytes), Some(request));
    let reply = ExecReply {
        uid: 0x0102_0304,
        gid: 5,
    };
    let bytes = b"RKI\0\x04\x03\x02\x01\x05\0\0\0";
    assert_eq!(&reply.encode(), bytes);
    assert_eq!(ExecReply::decode(bytes), Some(reply));
}

#[test]
fn stage_numbers() {
    let numbers: Vec<u16> = Stage::ALL.iter().map(|stage| stage.raw()).collect();
    let expected: Vec<u16> = (0..=3)
        .chain(16..=33)
        .chain(35..=59)
        .chain(64..=82)
        .collect();
    assert_eq!(numbers, expected);
}
