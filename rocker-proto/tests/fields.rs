//! Which field of a request is refused, and by which name.

use rocker_proto::{Data, DataMode, Network, Request, Seccomp, Stage};

fn with(change: impl FnOnce(&mut Request<'static>)) -> Result<(), (Stage, i32, u16)> {
    let mut request = Request {
        app_id: 7,
        uid: 1000,
        gid: 1000,
        package: c"/p",
        exec_dir: c"/e",
        data_dir: c"/d",
        ..Request::DEFAULT
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
