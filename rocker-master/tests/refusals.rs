//! What is wrong with a request: the exact stage, errno and index, one line in the log, and a host as before.

use rocker_client::{Failure, NO_INDEX, Request, Stage};
use rocker_testing::{
    Case, Master, Sandbox, Traces, c_path, eventually, launch, overlays, request, run_cases,
    with_data_dir, with_exec_dir, with_ids, with_overlays, with_package,
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
    ("packages_that_are_not_there", packages_that_are_not_there),
    (
        "directories_that_are_not_there",
        directories_that_are_not_there,
    ),
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
    let row = |(app_id, uid, gid), stage| {
        let request = with_ids(&plain, app_id, uid, gid);
        (request, Failure::new(stage, libc::EINVAL), None)
    };
    check(&[
        row((0, 1, 1), Stage::APP_ID),
        row((-1, 1, 1), Stage::APP_ID),
        row((i32::MIN, 1, 1), Stage::APP_ID),
        row((1, 0, 1), Stage::UID),
        row((1, u32::MAX, 1), Stage::UID),
        row((1, 1, 0), Stage::GID),
        row((1, 1, u32::MAX), Stage::GID),
        // The first that is wrong is named.
        row((0, 0, 0), Stage::APP_ID),
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
    let rows = |path| {
        let at = |stage| Failure::new(stage, libc::EINVAL);
        let second = Failure::indexed(Stage::OVERLAY_PATH, libc::EINVAL, 1);
        let changed = [
            (with_package(&plain, path), at(Stage::PACKAGE_PATH)),
            (with_exec_dir(&plain, path), at(Stage::EXEC_DIR_PATH)),
            (with_data_dir(&plain, path), at(Stage::DATA_DIR_PATH)),
            (with_overlays(&plain, &[c"/etc", path]), second),
        ];
        changed.map(|(request, failure)| (request, failure, Some(path)))
    };
    check(&NO_PATHS.into_iter().flat_map(rows).collect::<Vec<_>>());
}

fn packages_that_are_not_there() {
    let plain = request();
    fs::write("/run/file", "").unwrap();
    let row = |path, stage, errno| {
        let failure = Failure::new(stage, errno);
        (with_package(&plain, path), failure, Some(path))
    };
    check(&[
        row(c"/run/missing", Stage::OPEN_PACKAGE, libc::ENOENT),
        row(c"/run/file/below", Stage::OPEN_PACKAGE, libc::ENOTDIR),
        row(c"/run/exec", Stage::OPEN_PACKAGE, libc::EISDIR),
        row(c"/run/file", Stage::PACKAGE_FORMAT, libc::EMEDIUMTYPE),
    ]);
}

fn directories_that_are_not_there() {
    let plain = request();
    fs::write("/run/file", "").unwrap();
    let rows = |(path, errno)| {
        let at = |stage| Failure::new(stage, errno);
        let third = Failure::indexed(Stage::OPEN_OVERLAY, errno, 2);
        let named = with_overlays(&plain, &[c"/etc", c"/usr", path]);
        let changed = [
            (with_exec_dir(&plain, path), at(Stage::OPEN_EXEC_DIR)),
            (with_data_dir(&plain, path), at(Stage::OPEN_DATA_DIR)),
            (named, third),
        ];
        changed.map(|(request, failure)| (request, failure, Some(path)))
    };
    let paths = [
        (c"/run/missing", libc::ENOENT),
        (c"/run/file", libc::ENOTDIR),
        (c"/run/file/below", libc::ENOTDIR),
    ];
    check(&paths.into_iter().flat_map(rows).collect::<Vec<_>>());
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
