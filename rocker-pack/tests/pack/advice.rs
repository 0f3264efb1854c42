//! What `build --advise` says, and what it leaves behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::bytes::text;
use crate::fixture::Fixture;
use crate::namespace::{enter, have_root};

const NOBODY: u32 = 65534;

/// One for each compression that squashfs has.
const ROWS: [&str; 6] = [
    "zstd 64K", "xz 64K", "gzip 64K", "lzo 64K", "lz4 64K", "none 64K",
];

/// A tree with a program that needs nothing but the kernel and a shell.
fn fixture() -> Fixture {
    let fixture = Fixture::small();
    fs::write(fixture.tree().join("words"), text(3, 300_000)).unwrap();
    fs::write(
        fixture.tree().join("start"),
        "#!/bin/sh\nread line < words\n[ $# = 0 ] || exit 3\n",
    )
    .unwrap();
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(fixture.tree().join("start"), mode).unwrap();
    fixture
}

/// The command, with the fixture's output directory to work in.
fn advise(fixture: &Fixture) -> Command {
    let mut command = Command::new(fixture.program());
    command.args(["build", "--advise", "--rounds", "1", "tree"]);
    command
        .current_dir(fixture.tree().with_file_name(""))
        .arg("--work-dir")
        .arg(fixture.out());
    command
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// The cells of the row that begins with these words.
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let line = table.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no row {name:?} in\n{table}"));
    line.split_whitespace().collect()
}

/// Files without a name too: whoever holds a package open still has it on the disk, and its loop device.
fn loop_devices_on(fixture: &Fixture) -> Vec<String> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    let backing = devices.filter_map(|device| {
        fs::read_to_string(device.path().join("loop/backing_file")).ok() // not attached
    });
    let out = fixture.out();
    backing
        .filter(|file| file.starts_with(out.to_str().unwrap()))
        .collect()
}

#[test]
fn root_gets_every_column_of_every_row_and_a_recommendation() {
    if !enter("advice::root_gets_every_column_of_every_row_and_a_recommendation") {
        return;
    }
    let fixture = fixture();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();

    let output = advise(&fixture)
        .args(["--start", "start"])
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = stdout(&output);
    assert_eq!(row(table, "unpacked").len(), 8, "{table}");
    for name in ROWS {
        let cells = row(table, name);
        assert!(!cells.contains(&"-"), "{cells:?}");
        assert_eq!(
            cells.iter().filter(|cell| cell.ends_with("x)")).count(),
            4,
            "{cells:?}"
        );
    }
    assert!(table.contains("running \"start\" to its end"), "{table}");
    assert!(table.contains("\nrecommended: "), "{table}");
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), mounts);
    assert_eq!(loop_devices_on(&fixture), [""; 0]);
    assert_eq!(fixture.left_behind(), [""; 0]);
}

#[test]
fn without_root_there_are_sizes_and_the_reason() {
    let fixture = fixture();
    let mut command = advise(&fixture);
    if rustix::process::geteuid().is_root() {
        chown(fixture.out(), Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }

    let output = command.output().unwrap();

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = stdout(&output);
    for name in ROWS {
        assert_eq!(row(table, name).len(), 3, "{table}"); // the size, the saving and its percent sign
    }
    assert!(
        table.contains("note: only sizes: measuring needs root"),
        "{table}"
    );
    assert!(table.contains("\nrecommended: "), "{table}");
    assert_eq!(fixture.left_behind(), [""; 0]);
}

#[test]
fn a_named_output_gets_the_recommended_package() {
    let fixture = fixture();

    let output = advise(&fixture)
        .arg("-o")
        .arg(fixture.package())
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(fixture.left_behind(), ["app.sqfs"]);
    let inspected = rocker_pack::inspect(&fixture.package())
        .unwrap()
        .to_string();
    let table = stdout(&output);
    let recommended = row(table, "recommended:");
    assert!(
        inspected.contains(recommended[0]) || inspected.contains("needs"),
        "{recommended:?} {inspected}"
    );
}

/// Before minutes have gone into finding out what to write there.
#[test]
fn a_taken_output_is_refused_at_once() {
    let fixture = fixture();
    fs::write(fixture.package(), "theirs").unwrap();

    let output = advise(&fixture)
        .arg("-o")
        .arg(fixture.package())
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    assert_eq!(fs::read(fixture.package()).unwrap(), b"theirs");
}

/// Before minutes have gone into packing.
#[test]
fn a_program_that_does_not_start_or_fails_is_refused_at_once() {
    let fixture = fixture();
    for (program, words, code) in [
        ("hello", "tree/hello\": Permission denied", 1),
        ("start 1", "--start start: exit status: 3", 2),
    ] {
        let output = advise(&fixture)
            .args(["--start", program])
            .output()
            .unwrap();

        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(stdout(&output), "");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(words), "{message}");
    }
}

/// Waits until the program of a mounted package runs, which it does for ever; then sends the signal.
fn end_by(fixture: &Fixture, signal: Signal) -> ExitStatus {
    // The parent of a package's root is that of the directory which it is mounted over.
    let script = "#!/bin/sh\ncase $PWD in */tree) ;; *) > ../running; exec sleep 1000;; esac\n";
    fs::write(fixture.tree().join("start"), script).unwrap();
    let mut command = advise(fixture);
    command.args(["--start", "start"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !fixture.out().with_file_name("running").exists() {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it ended before the program ran"
        );
        std::thread::yield_now();
    }
    assert_eq!(loop_devices_on(fixture).len(), 1);
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap()
}

#[test]
fn a_signal_ends_it_with_its_program_and_leaves_nothing() {
    if !have_root("advice::a_signal_ends_it_with_its_program_and_leaves_nothing") {
        return;
    }
    for signal in [Signal::INT, Signal::TERM] {
        let fixture = fixture();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();

        let status = end_by(&fixture, signal);

        assert_eq!(status.code(), Some(1), "{signal:?}");
        assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), mounts);
        assert_eq!(loop_devices_on(&fixture), [""; 0], "{signal:?}");
        assert_eq!(fixture.left_behind(), [""; 0], "{signal:?}");
    }
}

/// The kernel takes everything back, program and all, but need not have done so when we are told of the death.
#[test]
fn even_kill_9_leaves_nothing() {
    if !have_root("advice::even_kill_9_leaves_nothing") {
        return;
    }
    let fixture = fixture();

    let status = end_by(&fixture, Signal::KILL);

    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    let started = Instant::now();
    while !loop_devices_on(&fixture).is_empty() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "a loop device is left"
        );
        std::thread::yield_now();
    }
    assert_eq!(fixture.left_behind(), [""; 0]);
}
