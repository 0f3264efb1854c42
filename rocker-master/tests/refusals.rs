//! What is wrong with a request: the exact stage, errno and index, one line in the log, and a host as before.

use rocker_client::{Failure, NO_INDEX, Request, Stage};
use rocker_testing::{
    Case, Master, Sandbox, Traces, c_path, eventually, launch, overlays, request, run_cases,
};
use std::ffi::CStr;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("ids_out_of_range", ids_out_of_range),
    ("paths_that_are_no_paths", paths_that_are_no_paths),
    ("paths_that_lead_nowhere", paths_that_lead_nowhere),
    ("overlays_that_cannot_be", overlays_that_cannot_be),
    (
        "a_request_that_fits_no_packet",
        a_request_that_fits_no_packet,
    ),
];

/// Asks for each of these, in a master of its own, and compares everything that can be seen.
fn check(rows: &[(Request<'_>, Failure, Option<&CStr>)]) {
    let master = Master::start();
    let data = Path::new("/run/data");
    Sandbox::start(&request()).end();
    for (number, (request, failure, path)) in (1..).zip(rows) {
        let before = Traces::now(data);
        let context = format!("row {number}: {failure:?}");
        assert_eq!(launch(request, &|| 0).unwrap_err(), *failure, "{context}");
        let is_as_before = || Traces::now(data) == before;
        eventually(&context, Duration::from_secs(2), is_as_before);
        // The client is told before the log.
        let is_logged = || master.log().lines().count() >= number;
        eventually(&context, Duration::from_secs(2), is_logged);
        let log = master.log();
        assert_eq!(log.lines().count(), number, "{context}: {log}");
        let line = log.lines().last().unwrap();
        assert_eq!(
            without_peer(line),
            expected_line(request.app_id, failure, *path),
            "{context}"
        );
    }
}

/// The peer's process id differs from run to run: the case is PID 1, as it sees itself.
fn without_peer(line: &str) -> String {
    line.replace(" peer=1 uid=0 ", " ")
}

fn expected_line(app_id: i32, failure: &Failure, path: Option<&CStr>) -> String {
    let index = match failure.index {
        NO_INDEX => String::new(),
        index => format!("[{index}]"),
    };
    let path = path.map_or(String::new(), |path| {
        format!(" path=\"{}\"", path.to_str().unwrap())
    });
    let errno = name_of(failure.errno);
    let (stage, number) = (failure.stage.name(), failure.errno);
    format!("rocker-master: launch app={app_id} stage={stage}{index}{path} errno={errno}({number})")
}

fn name_of(errno: i32) -> &'static str {
    match errno {
        libc::ENOENT => "ENOENT",
        libc::EEXIST => "EEXIST",
        libc::ENOTDIR => "ENOTDIR",
        libc::EISDIR => "EISDIR",
        libc::EINVAL => "EINVAL",
        libc::EMEDIUMTYPE => "EMEDIUMTYPE",
        _ => panic!("no case for {errno}"),
    }
}

fn ids_out_of_range() {
    let plain = request();
    let row = |request, stage| (request, Failure::new(stage, libc::EINVAL), None);
    check(&[
        row(Request { app_id: 0, ..plain }, Stage::APP_ID),
        row(
            Request {
                app_id: -1,
                ..plain
            },
            Stage::APP_ID,
        ),
        row(
            Request {
                app_id: i32::MIN,
                ..plain
            },
            Stage::APP_ID,
        ),
        row(Request { uid: 0, ..plain }, Stage::UID),
        row(
            Request {
                uid: u32::MAX,
                ..plain
            },
            Stage::UID,
        ),
        row(Request { gid: 0, ..plain }, Stage::GID),
        row(
            Request {
                gid: u32::MAX,
                ..plain
            },
            Stage::GID,
        ),
        // The first that is wrong is named.
        row(
            Request {
                app_id: 0,
                uid: 0,
                gid: 0,
                ..plain
            },
            Stage::APP_ID,
        ),
    ]);
}

const NO_PATHS: [&CStr; 8] = [
    c"",
    c"relative",
    c"./relative",
    c"/",
    c"/run//exec",
    c"/run/./exec",
    c"/run/../run/exec",
    c"/run/exec/",
];

fn paths_that_are_no_paths() {
    let plain = request();
    let mut rows = Vec::new();
    for path in NO_PATHS {
        let fields = [
            (
                Request {
                    package: path,
                    ..plain
                },
                Stage::PACKAGE_PATH,
            ),
            (
                Request {
                    exec_dir: path,
                    ..plain
                },
                Stage::EXEC_DIR_PATH,
            ),
            (
                Request {
                    data_dir: path,
                    ..plain
                },
                Stage::DATA_DIR_PATH,
            ),
        ];
        for (request, stage) in fields {
            rows.push((request, Failure::new(stage, libc::EINVAL), Some(path)));
        }
        rows.push((
            Request {
                overlays: overlays(&[c"/etc", path]),
                ..plain
            },
            Failure::indexed(Stage::OVERLAY_PATH, libc::EINVAL, 1),
            Some(path),
        ));
    }
    check(&rows);
}

fn paths_that_lead_nowhere() {
    let plain = request();
    fs::write("/run/file", "").unwrap();
    let at = |stage, errno| Failure::new(stage, errno);
    let (missing, file, below) = (c"/run/missing", c"/run/file", c"/run/file/below");
    let mut rows = vec![
        (
            Request {
                package: missing,
                ..plain
            },
            at(Stage::OPEN_PACKAGE, libc::ENOENT),
            Some(missing),
        ),
        (
            Request {
                package: below,
                ..plain
            },
            at(Stage::OPEN_PACKAGE, libc::ENOTDIR),
            Some(below),
        ),
        (
            Request {
                package: c"/run/exec",
                ..plain
            },
            at(Stage::OPEN_PACKAGE, libc::EISDIR),
            Some(c"/run/exec"),
        ),
        (
            Request {
                package: file,
                ..plain
            },
            at(Stage::PACKAGE_FORMAT, libc::EMEDIUMTYPE),
            Some(file),
        ),
    ];
    for (path, errno) in [
        (missing, libc::ENOENT),
        (file, libc::ENOTDIR),
        (below, libc::ENOTDIR),
    ] {
        rows.push((
            Request {
                exec_dir: path,
                ..plain
            },
            at(Stage::OPEN_EXEC_DIR, errno),
            Some(path),
        ));
        rows.push((
            Request {
                data_dir: path,
                ..plain
            },
            at(Stage::OPEN_DATA_DIR, errno),
            Some(path),
        ));
        let named = Request {
            overlays: overlays(&[c"/etc", c"/usr", path]),
            ..plain
        };
        rows.push((
            named,
            Failure::indexed(Stage::OPEN_OVERLAY, errno, 2),
            Some(path),
        ));
    }
    check(&rows);
}

fn overlays_that_cannot_be() {
    let plain = request();
    let row = |paths: &[&'static CStr], errno, index: u16| {
        let request = Request {
            overlays: overlays(paths),
            ..plain
        };
        let failure = Failure::indexed(Stage::OVERLAY_PATH, errno, index);
        (request, failure, Some(paths[usize::from(index)]))
    };
    check(&[
        row(&[c"/proc"], libc::EINVAL, 0),
        row(&[c"/etc", c"/proc/1"], libc::EINVAL, 1),
        row(&[c"/etc", c"/usr", c"/sys/fs/cgroup"], libc::EINVAL, 2),
        row(&[c"/dev"], libc::EINVAL, 0),
        row(&[c"/dev/shm"], libc::EINVAL, 0),
        row(&[c"/etc", c"/usr", c"/etc"], libc::EEXIST, 2),
    ]);
}

fn a_request_that_fits_no_packet() {
    let master = Master::start();
    let long = c_path(format!("/{}", ["x"; 255].concat()).repeat(8));
    let names = [&long, &long].map(|path| path.as_c_str());
    let failure = launch(
        &Request {
            overlays: overlays(&names),
            ..request()
        },
        &|| 0,
    )
    .unwrap_err();
    assert_eq!(failure, Failure::new(Stage::REQUEST_SIZE, libc::E2BIG));
    // It never left the client.
    assert_eq!(master.log(), "");
}
