//! The command: words, streams and exit codes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::bytes::noise;
use crate::fixture::Fixture;

const NOBODY: u32 = 65534;

fn rocker_pack() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rocker-pack"));
    command.env_remove("SOURCE_DATE_EPOCH");
    command
}

fn run(fixture: &Fixture, arguments: &[&str]) -> Output {
    let mut command = rocker_pack();
    command
        .current_dir(fixture.out())
        .arg("build")
        .arg(fixture.tree());
    command
        .args(["-o", "app.sqfs", "--level", "1"])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_build_ends_with_a_summary_and_without_a_bar_in_a_file() {
    let fixture = Fixture::small();

    let output = run(&fixture, &[]);

    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    for words in [
        "2 files",
        "1 symlinks",
        "saved",
        "100006 bytes of content",
        "zstd 64 KiB",
    ] {
        assert!(
            text(&output.stdout).contains(words),
            "{words}: {}",
            text(&output.stdout)
        );
    }
    let mode = fs::metadata(fixture.package())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(
        mode & 0o444,
        0o444 & !umask(),
        "others must be able to read the package"
    );
}

fn umask() -> u32 {
    let line = fs::read_to_string("/proc/self/status").unwrap();
    let umask = line
        .lines()
        .find_map(|line| line.strip_prefix("Umask:"))
        .unwrap();
    u32::from_str_radix(umask.trim(), 8).unwrap()
}

#[test]
fn quiet_says_nothing() {
    let fixture = Fixture::small();
    let output = run(&fixture, &["-q"]);
    assert_eq!(
        (output.status.code(), &output.stdout[..], &output.stderr[..]),
        (Some(0), &[][..], &[][..])
    );
}

#[test]
fn failures_are_1_and_wrong_usage_is_2() {
    let fixture = Fixture::small();
    fs::write(fixture.package(), "there").unwrap();
    let cases: [(&[&str], i32); 8] = [
        (&[], 1),
        (&["--block-size", "5000"], 2),
        (&["--compression", "rar"], 2),
        (&["--compression", "lz4", "-f", "--level", "99"], 2),
        (&["--owner", "nobody"], 2),
        (&["--time", "now"], 2),
        (&["--exclude", "["], 2),
        (&["--frobnicate"], 2),
    ];
    for (arguments, code) in cases {
        let output = run(&fixture, arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    assert_eq!(rocker_pack().output().unwrap().status.code(), Some(2));
}

#[test]
fn source_date_epoch_is_the_default_time() {
    let fixture = Fixture::small();
    let build = |epoch: &str| {
        let mut command = rocker_pack();
        command
            .env("SOURCE_DATE_EPOCH", epoch)
            .arg("build")
            .arg(fixture.tree());
        command
            .args(["-f", "-o"])
            .arg(fixture.package())
            .output()
            .unwrap()
    };

    let wrong = build("yesterday");
    let right = build("1000000000");

    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(right.status.code(), Some(0));
    let inspection = rocker_pack()
        .arg("inspect")
        .arg(fixture.package())
        .output()
        .unwrap();
    assert!(text(&inspection.stdout).contains("2001-09-09 01:46:40 UTC"));
    let list = rocker_pack()
        .args(["inspect", "--list"])
        .arg(fixture.package())
        .output()
        .unwrap();
    assert!(
        text(&list.stdout)
            .lines()
            .all(|line| line.contains(" 2001-09-09 01:46:40 ./") || line.ends_with(" ."))
    );
}

#[test]
fn inspecting_a_truncated_package_fails() {
    let fixture = Fixture::small();
    run(&fixture, &[]);
    fs::File::options()
        .write(true)
        .open(fixture.package())
        .unwrap()
        .set_len(4000)
        .unwrap();

    let output = rocker_pack()
        .arg("inspect")
        .arg(fixture.package())
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("truncated"));
}

#[test]
fn an_unreadable_file_is_named_with_its_errno_and_nothing_is_left() {
    let fixture = Fixture::small();
    let secret = fixture.tree().join("sub/secret");
    fs::write(&secret, noise(1, 100)).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o0)).unwrap();
    let mut command = Command::new(fixture.program());
    command
        .arg("build")
        .arg(fixture.tree())
        .arg("-o")
        .arg(fixture.package());
    if rustix::process::geteuid().is_root() {
        chown(fixture.out(), Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY); // root can read everything
    }

    let output = command.output().unwrap();

    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.contains("sub/secret") && message.contains("os error 13"),
        "{message}"
    );
    assert_eq!(fixture.left_behind(), [""; 0]);
}

/// Starts a build that takes seconds, sends `signal` once it has a file open in the output's
/// directory, and waits for its end.
fn end_by(fixture: &Fixture, signal: Signal) -> ExitStatus {
    fs::write(fixture.tree().join("noise"), noise(1, 16 << 20)).unwrap();
    let mut command = rocker_pack();
    command
        .arg("build")
        .arg(fixture.tree())
        .arg("-o")
        .arg(fixture.package());
    let command = command
        .args(["-c", "xz", "--level", "9"])
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let descriptors = format!("/proc/{}/fd", child.id());
    let writes = || {
        let mut files = fs::read_dir(&descriptors).unwrap().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|to| to.starts_with(fixture.out())))
    };
    while !writes() {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "the build ended before it began to write"
        );
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap()
}

#[test]
fn a_signal_ends_a_build_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let fixture = Fixture::small();
        assert_eq!(end_by(&fixture, signal).code(), Some(1), "{signal:?}");
        assert_eq!(fixture.left_behind(), [""; 0], "{signal:?}");
    }
}

/// Where the file system has `O_TMPFILE`; elsewhere nobody is left to remove the hidden file.
#[test]
fn even_a_killed_build_leaves_nothing() {
    let fixture = Fixture::small();
    let status = end_by(&fixture, Signal::KILL);
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(fixture.left_behind(), [""; 0]);
}
