//! Names that a mount option, a log line or mountinfo could trip over.

use rocker_client::{Failure, Request, Stage};
use rocker_testing::{
    Case, Master, Refusal, ask, c_path, errno_of, eventually, launch, make_dir, mount_at, overlays,
    package, refuse_calls, request, run_cases, with_data_dir, with_exec_dir, with_overlays,
    with_package,
};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("every_name_works_everywhere", every_name_works_everywhere),
    (
        "every_name_works_everywhere_without_openat2",
        every_name_works_everywhere_without_openat2,
    ),
    ("long_components_work", long_components_work),
    ("the_log_quotes_hostile_names", the_log_quotes_hostile_names),
    ("root_s_symlinks_are_followed", root_s_symlinks_are_followed),
    (
        "root_s_symlinks_are_followed_without_openat2",
        root_s_symlinks_are_followed_without_openat2,
    ),
    ("users_symlinks_are_refused", users_symlinks_are_refused),
    (
        "users_symlinks_are_refused_without_openat2",
        users_symlinks_are_refused_without_openat2,
    ),
    ("a_symlink_loop_is_refused", a_symlink_loop_is_refused),
];

fn without_openat2(case: fn()) {
    refuse_calls(&[Refusal::of(libc::SYS_openat2, libc::ENOSYS)]);
    case();
}

/// What is special to overlayfs, to mountinfo, to shells and to terminals.
const NAMES: [&[u8]; 12] = [
    b"a,b",
    b"a:b",
    b"a b",
    br"a\b",
    br"a\040b",
    b"quote\"'",
    b"line\nbreak",
    "\u{e4}\u{2603}\u{1f4e6}".as_bytes(),
    b"\xff\xfe",
    b"#x=1,upperdir=etc",
    b"tab\there",
    b"+%2B~",
];

/// A launch in which package, exec dir, data dir and an overlay all have this name, in directories of their own.
fn launch_with(name: &[u8]) {
    let place = |dir: &str| Path::new("/run").join(dir).join(OsStr::from_bytes(name));
    let (exec_dir, data_dir, overlay) = (place("exec"), place("data"), place("overlaid"));
    for dir in [&exec_dir, &data_dir, &overlay] {
        make_dir(dir, 0o755);
    }
    let file = place("packages");
    make_dir("/run/packages", 0o755);
    fs::copy("/run/app.sqfs", &file).unwrap();
    let paths = [&file, &exec_dir, &data_dir, &overlay].map(c_path);
    let request = Request {
        package: &paths[0],
        exec_dir: &paths[1],
        data_dir: &paths[2],
        overlays: overlays(&[&paths[3]]),
        ..request()
    };
    let types = ask(&request, &|| {
        fs::write(overlay.join("new"), "x").unwrap();
        assert!(exec_dir.join("hello").exists());
        let fs_type = |dir: &PathBuf| mount_at(dir).map_or(String::new(), |line| line.fs_type);
        format!("{} {}", fs_type(&exec_dir), fs_type(&overlay))
    });
    let shown = String::from_utf8_lossy(name);
    assert_eq!(types, "squashfs overlay", "{shown}");
    assert!(!overlay.join("new").exists(), "{shown}");
    assert!(data_dir.join(".rocker").exists(), "{shown}");
}

fn every_name_works_everywhere() {
    let _master = Master::start();
    package();
    NAMES.iter().for_each(|name| launch_with(name));
}

fn every_name_works_everywhere_without_openat2() {
    without_openat2(every_name_works_everywhere);
}

/// `NAME_MAX` is 255 bytes. Below the data directory such a name gets a hash at its end.
fn long_components_work() {
    let _master = Master::start();
    package();
    launch_with("x".repeat(255).as_bytes());
    launch_with("\u{2603}".repeat(85).as_bytes());
}

fn the_log_quotes_hostile_names() {
    let master = Master::start();
    let request = Request {
        package: c"/run/no\nsuch \"file\x1b[2J",
        ..request()
    };
    launch(&request, &|| 0).unwrap_err();
    // The client is told before the log.
    eventually("it is logged", Duration::from_secs(2), || {
        master.log().ends_with('\n')
    });
    let log = master.log();
    assert_eq!(log.lines().count(), 1, "{log:?}");
    assert!(
        log.contains(r#"path="/run/no\x0asuch \"file\x1b[2J""#),
        "{log:?}"
    );
}

/// Each path through a link, relative and absolute, into the middle and at the end.
fn root_s_symlinks_are_followed() {
    let _master = Master::start();
    package();
    make_dir("/run/real/exec", 0o755);
    make_dir("/run/real/data", 0o755);
    make_dir("/run/real/over", 0o755);
    symlink("real", "/run/relative").unwrap();
    symlink("/run/relative", "/run/absolute").unwrap();
    symlink("/run/absolute/../app.sqfs", "/run/real/package").unwrap();
    let request = Request {
        package: c"/run/relative/package",
        exec_dir: c"/run/absolute/exec",
        data_dir: c"/run/relative/data",
        overlays: overlays(&[c"/run/absolute/over"]),
        ..request()
    };
    let hello = ask(&request, &|| {
        fs::write("/run/real/over/new", "x").unwrap();
        fs::read_to_string("/run/real/exec/hello").unwrap()
    });
    assert_eq!(hello, "hello from the package\n");
    assert!(Path::new("/run/real/data/.rocker/run+real+over/upper/new").exists());
}

fn root_s_symlinks_are_followed_without_openat2() {
    without_openat2(root_s_symlinks_are_followed);
}

/// Links that somebody other than root made or could exchange. In a sticky directory too: who may write there could have
/// been first.
fn make_doubtful_links() -> [&'static str; 5] {
    let make = |dir, mode, owner, group| {
        make_dir(dir, mode);
        chown(dir, Some(owner), Some(group)).unwrap();
        symlink("/run/target", Path::new(dir).join("link")).unwrap();
    };
    make("/run/open", 0o777, 0, 0);
    make("/run/sticky", 0o1777, 0, 0);
    make("/run/group", 0o775, 0, 1000);
    make("/run/owned", 0o755, 1000, 0);
    make("/run/user-s", 0o755, 0, 0);
    lchown("/run/user-s/link", Some(1000), Some(1000)).unwrap();
    ["open", "sticky", "group", "owned", "user-s"]
}

fn users_symlinks_are_refused() {
    let _master = Master::start();
    let plain = request();
    make_dir("/run/target", 0o755);
    fs::copy("/run/app.sqfs", "/run/target/app.sqfs").unwrap();
    for dir in make_doubtful_links() {
        let link = c_path(format!("/run/{dir}/link"));
        let file = c_path(format!("/run/{dir}/link/app.sqfs"));
        let at = |stage| Failure::new(stage, libc::ELOOP);
        let second = Failure::indexed(Stage::OPEN_OVERLAY, libc::ELOOP, 1);
        let rows = [
            (with_package(&plain, &file), at(Stage::OPEN_PACKAGE)),
            (with_exec_dir(&plain, &link), at(Stage::OPEN_EXEC_DIR)),
            (with_data_dir(&plain, &link), at(Stage::OPEN_DATA_DIR)),
            (with_overlays(&plain, &[c"/etc", &link]), second),
        ];
        for (request, failure) in rows {
            assert_eq!(launch(&request, &|| 0).unwrap_err(), failure, "{dir}");
        }
    }
    assert!(errno_of(fs::metadata("/run/target/.rocker")).is_some());
}

fn users_symlinks_are_refused_without_openat2() {
    without_openat2(users_symlinks_are_refused);
}

fn a_symlink_loop_is_refused() {
    let _master = Master::start();
    symlink("two", "/run/one").unwrap();
    symlink("one", "/run/two").unwrap();
    let request = Request {
        data_dir: c"/run/one",
        ..request()
    };
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::OPEN_DATA_DIR, libc::ELOOP));
}
