//! What a hostile peer may send: every truncation, every change of one byte, random bytes. Nothing panics, and nothing is
//! accepted that would not encode to the same bytes again.

use rocker_proto::{
    CacheReply, CacheRequest, Data, DataMode, Entrance, Failure, Joined, Network, Reply, Report,
    Request, Seccomp, Stage, Welcome,
};
use std::ffi::CString;

/// A small xorshift generator: the same bytes on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn sample() -> Vec<u8> {
    let mut overlays = [None; 16];
    overlays[0] = Some(c"/etc");
    overlays[15] = Some(c"/var/lib/a b");
    let request = Request {
        app_id: 7,
        uid: 1000,
        gid: 1000,
        package: c"/data/app.sqfs",
        exec_dir: c"/opt/app",
        data_dir: c"/data/app",
        overlays,
        data: Data::DISK,
        seccomp: Seccomp::DEFAULT,
        policy: c"",
        network: Network::HOST,
        tied: false,
        may_trace: false,
    };
    request.encode().unwrap().to_vec()
}

/// Decodes, and holds an accepted packet to its own encoding.
fn accepts(packet: &[u8]) -> bool {
    match Request::decode(packet) {
        Ok(request) => {
            assert_eq!(request.encode().unwrap().as_slice(), packet);
            true
        }
        Err(_) => false,
    }
}

/// Every byte with every value, and every length.
#[test]
fn cache_messages_are_what_they_encode_to() {
    let reply = CacheReply {
        users: 1,
        idle_ms: 2,
        package: Some(c"/data/app.sqfs"),
    };
    let samples = [
        reply.encode().unwrap().to_vec(),
        CacheRequest::Drop.encode().to_vec(),
    ];
    for sample in samples {
        for at in 0..sample.len() {
            for value in 0..=255 {
                let mut bytes = sample.clone();
                bytes[at] = value;
                for len in [at, bytes.len()] {
                    let bytes = &bytes[..len];
                    if let Some(reply) = CacheReply::decode(bytes) {
                        assert_eq!(reply.encode().unwrap().as_slice(), bytes);
                    }
                    if let Some(request) = CacheRequest::decode(bytes) {
                        assert_eq!(request.encode(), bytes);
                    }
                }
            }
        }
    }
}

#[test]
fn decode_refuses_every_truncation() {
    let packet = sample();
    assert!(accepts(&packet));
    for len in 0..packet.len() {
        assert!(!accepts(&packet[..len]), "{len} bytes were accepted");
    }
    let mut longer = packet;
    longer.push(0);
    assert!(!accepts(&longer));
}

#[test]
fn decode_survives_every_change_of_one_byte() {
    let packet = sample();
    let mut accepted = 0;
    for position in 0..packet.len() {
        for value in 0..=255 {
            let mut changed = packet.clone();
            changed[position] = value;
            accepted += usize::from(accepts(&changed));
        }
    }
    // Ids and the letters of paths may change; magic, version, lengths and terminators may not.
    assert!(
        accepted > packet.len() && accepted < packet.len() * 256 / 2,
        "{accepted} accepted"
    );
}

#[test]
fn decode_survives_random_bytes() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let good = sample();
    for round in 0..200_000 {
        let len = usize::try_from(random.next() % 200).unwrap();
        let mut bytes: Vec<u8> = (0..len).map(|_| random.next().to_le_bytes()[0]).collect();
        // Every other one starts like a real one, to get past the magic.
        if round % 2 == 0 {
            let head = len.min(8);
            bytes[..head].copy_from_slice(&good[..head]);
            if len >= 8 {
                bytes[6..8].copy_from_slice(&u16::try_from(len).unwrap().to_le_bytes());
            }
        }
        accepts(&bytes);
        Reply::decode(&bytes);
        Report::decode(&bytes);
        Joined::decode(&bytes);
    }
}

fn with(change: impl FnOnce(&mut Request<'static>)) -> Result<(), (Stage, i32, u16)> {
    let mut request = Request {
        app_id: 7,
        uid: 1000,
        gid: 1000,
        package: c"/p",
        exec_dir: c"/e",
        data_dir: c"/d",
        overlays: [None; 16],
        data: Data::DISK,
        seccomp: Seccomp::DEFAULT,
        policy: c"",
        network: Network::HOST,
        tied: false,
        may_trace: false,
    };
    change(&mut request);
    let packet = request.encode().unwrap();
    match Request::decode(&packet) {
        Ok(_) => Ok(()),
        Err(refusal) => Err((
            refusal.failure.stage,
            refusal.failure.errno,
            refusal.failure.index,
        )),
    }
}

#[test]
fn decode_names_the_bad_field() {
    const NONE: u16 = u16::MAX;
    assert_eq!(with(|_| {}), Ok(()));
    for app_id in [0, -1, i32::MIN] {
        assert_eq!(with(|r| r.app_id = app_id), Err((Stage::APP_ID, 22, NONE)));
    }
    for id in [0, u32::MAX] {
        assert_eq!(with(|r| r.uid = id), Err((Stage::UID, 22, NONE)));
        assert_eq!(with(|r| r.gid = id), Err((Stage::GID, 22, NONE)));
    }
    assert_eq!(with(|r| r.uid = u32::MAX - 1), Ok(()));
    for path in [
        c"", c"p", c"./p", c"/", c"//p", c"/p/", c"/a//p", c"/a/./p", c"/a/../p", c"/..", c"/.",
    ] {
        let failures = [
            (with(|r| r.package = path), Stage::PACKAGE_PATH, NONE),
            (with(|r| r.exec_dir = path), Stage::EXEC_DIR_PATH, NONE),
            (with(|r| r.data_dir = path), Stage::DATA_DIR_PATH, NONE),
            (with(|r| r.overlays[3] = Some(path)), Stage::OVERLAY_PATH, 3),
        ];
        for (outcome, stage, index) in failures {
            assert_eq!(outcome, Err((stage, 22, index)), "{path:?}");
        }
    }
    for path in [c"/...", c"/a/..b", c"/a b,c:d\\e\"f", c"/\xc3\xa4"] {
        assert_eq!(with(|r| r.overlays[0] = Some(path)), Ok(()), "{path:?}");
    }
}

#[test]
fn overlays_of_the_kernel_s_trees_and_doubles_are_refused() {
    for path in [c"/proc", c"/sys", c"/dev", c"/dev/shm", c"/proc/self"] {
        assert_eq!(
            with(|r| r.overlays[1] = Some(path)),
            Err((Stage::OVERLAY_PATH, 22, 1)),
            "{path:?}"
        );
    }
    for path in [c"/process", c"/system", c"/device", c"/run"] {
        assert_eq!(with(|r| r.overlays[1] = Some(path)), Ok(()), "{path:?}");
    }
    let twice = with(|r| (r.overlays[1], r.overlays[5]) = (Some(c"/var"), Some(c"/var")));
    assert_eq!(twice, Err((Stage::OVERLAY_PATH, 17, 5)));
}

#[test]
fn data_options_without_a_meaning_are_refused_by_name() {
    const BOTH: u8 = Data::KEEP | Data::NO_OVERLAYS;
    let data = |mode: u8, flags, size_kib| {
        with(|request| {
            request.data = Data {
                mode: DataMode::from_raw(mode),
                flags,
                size_kib,
            };
        })
        .map_err(|(stage, errno, index)| {
            assert_eq!((errno, index), (22, u16::MAX));
            stage
        })
    };
    for good in [(0, 0, 0), (0, 2, 0), (1, 0, 0), (1, 1, u32::MAX), (2, 0, 0)] {
        assert_eq!(data(good.0, good.1, good.2), Ok(()), "{good:?}");
    }
    for mode in 3..=255 {
        assert_eq!(data(mode, 0, 0), Err(Stage::DATA_MODE));
    }
    for mode in [0, 2] {
        assert_eq!(data(mode, 0, 1), Err(Stage::DATA_SIZE));
        assert_eq!(data(mode, Data::KEEP, 0), Err(Stage::DATA_KEEP));
    }
    for mode in [1, 2] {
        assert_eq!(data(mode, Data::NO_OVERLAYS, 0), Err(Stage::NO_OVERLAYS));
    }
    // The highest bits say that the caller may trace, and that the sandbox is tied.
    for flag in 2..6 {
        assert_eq!(data(1, 1 << flag, 0), Err(Stage::FLAGS));
        assert_eq!(data(1, 1 << flag | BOTH & 1, 0), Err(Stage::FLAGS));
    }
    let named = with(|request| {
        request.data.flags = Data::NO_OVERLAYS;
        request.overlays[4] = Some(c"/var");
    });
    assert_eq!(named, Err((Stage::NO_OVERLAYS, 22, u16::MAX)));
}

#[test]
fn filters_and_networks_that_nobody_knows_are_refused_by_name() {
    const NONE: u16 = u16::MAX;
    let seccomp = |number, policy| {
        with(|request| {
            request.seccomp = Seccomp::from_raw(number);
            request.policy = policy;
        })
    };
    for number in 0..=255 {
        let outcome = match number {
            0..=2 | 0x80 | 0x81 => Ok(()),
            3 | 0x83 => Err((Stage::SECCOMP_POLICY, 22, NONE)),
            _ => Err((Stage::SECCOMP, 22, NONE)),
        };
        assert_eq!(seccomp(number, c""), outcome, "{number}");
    }
    for number in [3, 0x83] {
        assert_eq!(seccomp(number, c"/etc/app.policy"), Ok(()));
        let relative = seccomp(number, c"app.policy");
        assert_eq!(relative, Err((Stage::SECCOMP_POLICY, 22, NONE)));
    }
    for number in [0, 1, 2] {
        let unread = seccomp(number, c"/etc/app.policy");
        assert_eq!(unread, Err((Stage::SECCOMP_POLICY, 22, NONE)));
    }
    for number in 0..=255 {
        let outcome = with(|request| request.network = Network::from_raw(number));
        let known = number <= 1;
        assert_eq!(outcome.is_ok(), known, "{number}");
        assert_eq!(
            outcome.err(),
            (!known).then_some((Stage::NETWORK, 22, NONE))
        );
    }
}

#[test]
fn doors_are_entered_with_the_user_namespace_last() {
    let all = Entrance::by_pidfd(0x4200_0000);
    assert_eq!(all.doors().collect::<Vec<_>>(), [0x5e02_0000]);
    let steps: Vec<u32> = all.one_by_one(true).doors().collect();
    let expected = [
        0x0002_0000,
        0x0200_0000,
        0x0400_0000,
        0x0800_0000,
        0x4000_0000,
        0x1000_0000,
    ];
    assert_eq!(steps, expected);
    assert!(1 + 1 + steps.len() <= Entrance::FDS_MAX);
}

#[test]
fn a_data_directory_may_be_left_out_where_it_is_not_needed() {
    let data = |mode: DataMode, flags, data_dir| {
        with(|request| {
            request.data = Data {
                mode,
                flags,
                size_kib: 0,
            };
            request.data_dir = data_dir;
        })
    };
    let refused = Err((Stage::DATA_DIR_PATH, 22, u16::MAX));
    assert_eq!(data(DataMode::DISK, Data::NO_OVERLAYS, c""), Ok(()));
    assert_eq!(data(DataMode::TMPFS, 0, c""), Ok(()));
    assert_eq!(data(DataMode::DISK, 0, c""), refused);
    assert_eq!(data(DataMode::VOLATILE, 0, c""), refused);
    assert_eq!(data(DataMode::TMPFS, Data::KEEP, c""), refused);
    // Not needed, and wrong all the same.
    assert_eq!(data(DataMode::TMPFS, 0, c"relative"), refused);
}

#[test]
fn encode_says_when_it_does_not_fit() {
    let long = CString::new(format!("/{}", "x".repeat(4095))).unwrap();
    let mut request = Request {
        app_id: 1,
        uid: 1,
        gid: 1,
        package: &long,
        exec_dir: c"/e",
        data_dir: c"/d",
        overlays: [None; 16],
        data: Data::DISK,
        seccomp: Seccomp::DEFAULT,
        policy: c"",
        network: Network::HOST,
        tied: false,
        may_trace: false,
    };
    assert_eq!(request.encode(), None);
    let fits = CString::new(format!("/{}", "x".repeat(4096 - 68 - 6 - 2))).unwrap();
    request.package = &fits;
    assert_eq!(request.encode().unwrap().len(), 4096);
}

fn welcome(name: [u8; 16]) -> [u8; Reply::SIZE] {
    let entrance = Entrance::by_pidfd(0);
    Reply {
        outcome: Ok(Welcome { name, entrance }),
    }
    .encode()
}

#[test]
fn reply_refuses_names_that_cannot_be_printed() {
    let mut name = [0; 16];
    assert_eq!(Reply::decode(&welcome(name)), None);
    name[..3].copy_from_slice(b"a b");
    assert_eq!(Reply::decode(&welcome(name)), None);
    name = [b'x'; 16];
    assert_eq!(Reply::decode(&welcome(name)), None);
    name[15] = 0;
    assert!(Reply::decode(&welcome(name)).is_some());
}

#[test]
fn reply_refuses_a_failure_with_the_fields_of_a_sandbox() {
    let failure = Reply {
        outcome: Err(Failure::new(Stage::LIMIT, 24)),
    };
    let bytes = failure.encode();
    assert_eq!(Reply::decode(&bytes), Some(failure));
    // Entrance and name, which it has not got.
    for at in 14..Reply::SIZE {
        let mut odd = bytes;
        odd[at] = 1;
        assert_eq!(Reply::decode(&odd), None, "byte {at}");
    }
}

#[test]
fn reply_refuses_a_sandbox_with_the_fields_of_a_failure() {
    let good = welcome(*b"rk\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    // Errno and index.
    for at in 8..14 {
        let mut odd = good;
        odd[at] ^= 1;
        assert_eq!(Reply::decode(&odd), None, "byte {at}");
    }
}

#[test]
fn reply_refuses_entrances_that_nobody_knows() {
    let good = welcome(*b"rk\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    for entrance in 0..=u16::MAX {
        let mut bytes = good;
        bytes[14..16].copy_from_slice(&entrance.to_le_bytes());
        // ipc, uts, mnt, user always; cgroup and net perhaps; a pidfd or namespaces, one of them at least.
        let known = entrance & !0x6201 == 0x1c02 && entrance & 0x2001 != 0;
        assert_eq!(Reply::decode(&bytes).is_some(), known, "{entrance}");
    }
}
