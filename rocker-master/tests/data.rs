//! Where an App's changes live: each data mode does what it says.

use rocker_client::{Data, DataMode, Request};
use rocker_testing::{
    Case, Master, Sandbox, ask, kill, make_dir, mounts, overlays, request,
    run_cases_on_both_kernels, wait_for,
};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "without_overlays_none_is_mounted",
        without_overlays_none_is_mounted,
    ),
    (
        "without_overlays_the_app_changes_the_host_s_files",
        without_overlays_the_app_changes_the_host_s_files,
    ),
    (
        "the_host_s_current_files_are_seen",
        the_host_s_current_files_are_seen,
    ),
    (
        "a_volatile_launch_follows_another",
        a_volatile_launch_follows_another,
    ),
    (
        "a_disk_launch_follows_a_volatile_one",
        a_disk_launch_follows_a_volatile_one,
    ),
    (
        "an_fsync_reaches_the_disk_unless_volatile",
        an_fsync_reaches_the_disk_unless_volatile,
    ),
    (
        "the_end_writes_to_the_disk_unless_volatile",
        the_end_writes_to_the_disk_unless_volatile,
    ),
];

/// The usual launch, with the changes to `/run/lower` elsewhere.
fn in_mode(mode: DataMode) -> Request<'static> {
    make_dir("/run/lower", 0o755);
    Request {
        overlays: overlays(&[c"/run/lower"]),
        data: Data { mode, ..Data::DISK },
        ..request()
    }
}

fn without_overlays() -> Request<'static> {
    Request {
        overlays: [None; 16],
        data_dir: c"",
        data: Data {
            flags: Data::NO_OVERLAYS,
            ..Data::DISK
        },
        ..request()
    }
}

fn overlays_in_sight() -> String {
    let lines = mounts()
        .into_iter()
        .filter(|line| line.fs_type == "overlay");
    lines
        .map(|line| String::from_utf8(line.point).unwrap() + "\n")
        .collect()
}

fn without_overlays_none_is_mounted() {
    let request = without_overlays();
    fs::remove_dir("/run/data").unwrap();
    let _master = Master::start();
    let before = overlays_in_sight();
    assert_eq!(ask(&request, &overlays_in_sight), before);
    // One that is named is not used, and so need not be there.
    let named = Request {
        data_dir: c"/run/nowhere",
        ..request
    };
    assert_eq!(ask(&named, &overlays_in_sight), before);
    assert!(!Path::new("/run/data").exists() && !Path::new("/run/nowhere").exists());
}

fn without_overlays_the_app_changes_the_host_s_files() {
    let request = without_overlays();
    make_dir("/run/open", 0o777);
    make_dir("/run/closed", 0o755);
    let _master = Master::start();
    let text = ask(&request, &|| {
        fs::write("/run/open/new", "app").unwrap();
        fs::write("/run/closed/new", "app").unwrap_err();
        fs::read_to_string("/run/exec/hello").unwrap()
    });
    assert_eq!(text, "hello from the package\n");
    assert_eq!(fs::read_to_string("/run/open/new").unwrap(), "app");
    assert!(!Path::new("/run/closed/new").exists());
}

/// The host renames a new file over an old one, as package managers and editors do. An overlay that stayed mounted would go
/// on showing the old one.
fn the_host_s_current_files_are_seen() {
    make_dir("/run/lower", 0o755);
    let replace = |text: &str| {
        fs::write("/run/lower/new", text).unwrap();
        fs::rename("/run/lower/new", "/run/lower/file").unwrap();
    };
    let request = Request {
        overlays: overlays(&[c"/run/lower"]),
        ..request()
    };
    let _master = Master::start();
    for text in ["first", "second", "third"] {
        replace(text);
        let seen = ask(&request, &|| fs::read_to_string("/run/lower/file").unwrap());
        assert_eq!(seen, text);
    }
}

/// Is the overlay a volatile one?
fn is_volatile() -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut lines = mounts.lines();
    let line = lines.find(|line| line.starts_with("rocker /run/lower overlay "));
    line.unwrap().contains("volatile").to_string()
}

/// Ended by itself and killed, one after the other and two at once: the mark that a volatile mount leaves is no hindrance.
fn a_volatile_launch_follows_another() {
    let request = in_mode(DataMode::VOLATILE);
    let _master = Master::start();
    assert_eq!(ask(&request, &is_volatile), "true");
    ask(&request, &|| {
        fs::write("/run/lower/kept", "first").unwrap();
        String::new()
    });
    let sandbox = Sandbox::start(&request);
    let other = Sandbox::start(&request);
    kill(sandbox.guard_pid(), libc::SIGKILL);
    assert_eq!(wait_for(sandbox.app_pid()), 128 + libc::SIGKILL);
    other.end();
    let marks = marks();
    assert!(marks >= 2, "{marks}");
    let text = ask(&request, &|| {
        is_volatile() + &fs::read_to_string("/run/lower/kept").unwrap()
    });
    assert_eq!(text, "truefirst");
}

/// How many work directories have the mark.
fn marks() -> usize {
    let layers = fs::read_dir("/run/data/.rocker/run+lower").unwrap();
    let marked = layers.filter(|layer| {
        let layer = layer.as_ref().unwrap().path();
        layer.join("work/incompat/volatile/dirty").exists()
    });
    marked.count()
}

fn a_disk_launch_follows_a_volatile_one() {
    let request = in_mode(DataMode::VOLATILE);
    let disk = in_mode(DataMode::DISK);
    let _master = Master::start();
    ask(&request, &|| {
        fs::write("/run/lower/kept", "volatile").unwrap();
        String::new()
    });
    assert_eq!(marks(), 1);
    let text = ask(&disk, &|| {
        is_volatile() + &fs::read_to_string("/run/lower/kept").unwrap()
    });
    assert_eq!(text, "falsevolatile");
    assert_eq!(marks(), 0);
}

/// A disk of its own for the data directory, which nothing else writes to.
fn own_disk() {
    make_dir("/run/disk", 0o755);
    let script = "truncate -s 32M /run/disk.img && \
        mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /run/disk.img && \
        mount -o loop,commit=600,noauto_da_alloc /run/disk.img /run/disk && mkdir /run/disk/data && sync -f /run/disk";
    let done = Command::new("sh").args(["-c", script]).status().unwrap();
    assert!(done.success());
}

/// How many sectors were written to it since it was made.
fn sectors_written() -> u64 {
    let device = fs::metadata("/run/disk").unwrap().dev();
    let (major, minor) = (libc::major(device), libc::minor(device));
    let text = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).unwrap();
    text.split_whitespace().nth(6).unwrap().parse().unwrap()
}

fn an_fsync_reaches_the_disk_unless_volatile() {
    own_disk();
    let _master = Master::start();
    for (mode, reaches) in [(DataMode::DISK, true), (DataMode::VOLATILE, false)] {
        let request = Request {
            data_dir: c"/run/disk/data",
            ..in_mode(mode)
        };
        let before = sectors_written();
        let sandbox = Sandbox::start_with(&request, &|| {
            let mut file = File::create("/run/lower/file").unwrap();
            file.write_all(&[7; 64 << 10]).unwrap();
            file.sync_all().unwrap();
        });
        // At least the file's own bytes, 128 sectors.
        assert_eq!(sectors_written() >= before + 128, reaches, "{mode:?}");
        sandbox.unwrap().end();
    }
}

fn the_end_writes_to_the_disk_unless_volatile() {
    own_disk();
    let _master = Master::start();
    for (mode, writes) in [(DataMode::DISK, true), (DataMode::VOLATILE, false)] {
        let request = Request {
            data_dir: c"/run/disk/data",
            ..in_mode(mode)
        };
        let sandbox = Sandbox::start(&request);
        // Somebody else's, on the same disk.
        fs::write("/run/disk/foreign", [7; 64 << 10]).unwrap();
        let before = sectors_written();
        sandbox.end();
        assert_eq!(sectors_written() >= before + 128, writes, "{mode:?}");
    }
}
