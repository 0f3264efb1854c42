//! Where an App's changes live: each data mode does what it says.

use rocker_client::{Data, DataMode, Failure, Request, Stage};
use rocker_testing::{
    Case, Master, Sandbox, ask, c_path, kill, launch, make_dir, mounts, overlays, request,
    run_cases_on_both_kernels, wait_for,
};
use std::fs::{self, File};
use std::io::{Error, Write};
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
        "a_tmpfs_ends_with_its_sandbox",
        a_tmpfs_ends_with_its_sandbox,
    ),
    ("a_tmpfs_is_full_at_its_size", a_tmpfs_is_full_at_its_size),
    (
        "a_tmpfs_has_a_size_if_none_is_given",
        a_tmpfs_has_a_size_if_none_is_given,
    ),
    (
        "a_tmpfs_holds_no_more_files_than_its_size_allows",
        a_tmpfs_holds_no_more_files_than_its_size_allows,
    ),
    (
        "the_app_cannot_reach_the_tmpfs",
        the_app_cannot_reach_the_tmpfs,
    ),
    (
        "a_tmpfs_is_not_what_another_sandbox_has",
        a_tmpfs_is_not_what_another_sandbox_has,
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
    (
        "writing_back_is_refused_by_name",
        writing_back_is_refused_by_name,
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

fn on_tmpfs(size_kib: u32) -> Request<'static> {
    let request = in_mode(DataMode::TMPFS);
    Request {
        data: Data {
            size_kib,
            ..request.data
        },
        data_dir: c"",
        ..request
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

fn a_tmpfs_ends_with_its_sandbox() {
    let request = on_tmpfs(0);
    fs::write("/run/lower/doomed", "host").unwrap();
    let named = Request {
        data_dir: c"/run/data",
        ..request
    };
    let _master = Master::start();
    for request in [request, named] {
        for _ in 0..2 {
            let text = ask(&request, &|| {
                assert!(Path::new("/run/lower/doomed").exists());
                assert!(!Path::new("/run/lower/new").exists());
                fs::write("/run/lower/new", "app").unwrap();
                fs::remove_file("/run/lower/doomed").unwrap();
                fs::create_dir("/run/lower/dir").unwrap();
                fs::read_to_string("/run/lower/new").unwrap()
            });
            assert_eq!(text, "app");
        }
    }
    assert_eq!(fs::read_dir("/run/data").unwrap().count(), 0);
    assert_eq!(fs::read_dir("/run/lower").unwrap().count(), 1);
}

/// Writes until it is refused; gives how many KiB it could write, and why it was no more.
fn fill(file: &str) -> (usize, Option<i32>) {
    let mut file = File::create(file).unwrap();
    let mut written = 0;
    loop {
        match file.write_all(&[7; 1024]) {
            Ok(()) => written += 1,
            Err(error) => return (written, error.raw_os_error()),
        }
    }
}

fn a_tmpfs_is_full_at_its_size() {
    make_dir("/run/other", 0o755);
    let request = Request {
        overlays: overlays(&[c"/run/lower", c"/run/other"]),
        ..on_tmpfs(512)
    };
    let _master = Master::start();
    let seen = ask(&request, &|| {
        let (one, error) = fill("/run/lower/file");
        let (other, _) = fill("/run/other/file");
        fs::remove_file("/run/lower/file").unwrap();
        let (again, _) = fill("/run/other/file");
        format!(
            "{error:?} {} {other} {}",
            one > 480 && one <= 512,
            again > 480
        )
    });
    // One size for all overlays, and what is removed is free again.
    assert_eq!(seen, format!("{:?} true 0 true", Some(libc::ENOSPC)));
}

/// How many KiB the file system of this path has.
fn size_of(path: &str) -> u64 {
    // SAFETY: integers, for which zero is a value.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    let path = c_path(path);
    // SAFETY: both are ours.
    let done = unsafe { libc::statvfs(path.as_ptr(), &raw mut stat) };
    assert_eq!(done, 0, "statvfs: {}", Error::last_os_error());
    #[allow(
        clippy::unnecessary_cast,
        reason = "they are narrower on other machines"
    )]
    let [blocks, size] = [stat.f_blocks as u64, stat.f_frsize as u64];
    blocks * size / 1024
}

fn a_tmpfs_has_a_size_if_none_is_given() {
    let _master = Master::start();
    for (asked, size) in [(0, Data::DEFAULT_SIZE_KIB), (64, 64), (1 << 20, 1 << 20)] {
        let seen = ask(&on_tmpfs(asked), &|| size_of("/run/lower").to_string());
        assert_eq!(seen, size.to_string());
    }
}

fn a_tmpfs_holds_no_more_files_than_its_size_allows() {
    let _master = Master::start();
    let seen = ask(&on_tmpfs(64), &|| {
        let mut made = 0;
        let error = loop {
            match File::create(format!("/run/lower/{made}")) {
                Ok(_) => made += 1,
                Err(error) => break error.raw_os_error(),
            }
        };
        format!("{} {error:?}", (64..=64 + 512).contains(&made))
    });
    assert_eq!(seen, format!("true {:?}", Some(libc::ENOSPC)));
}

fn the_app_cannot_reach_the_tmpfs() {
    let _master = Master::start();
    let seen = ask(&on_tmpfs(0), &|| {
        let ours =
            |line: &rocker_testing::MountLine| line.fs_type == "tmpfs" && line.source == "rocker";
        let lines: Vec<_> = mounts().into_iter().filter(ours).collect();
        // What covers it is a /proc of the sandbox's own, mounted later and higher up.
        let reached = Path::new("/proc/fs")
            .metadata()
            .map(|file| file.mode() & 0o777);
        let hidden = lines
            .iter()
            .all(|line| line.has("nosuid") && line.has("nodev"));
        let is_proc = reached.is_ok_and(|mode| mode != 0o700);
        format!("{hidden} {is_proc}")
    });
    assert_eq!(seen, "true true");
}

fn a_tmpfs_is_not_what_another_sandbox_has() {
    let request = on_tmpfs(0);
    let _master = Master::start();
    let first = Sandbox::start_with(&request, &|| fs::write("/run/lower/new", "x").unwrap());
    let second = ask(&request, &|| {
        Path::new("/run/lower/new").exists().to_string()
    });
    assert_eq!(second, "false");
    first.unwrap().end();
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

fn writing_back_is_refused_by_name() {
    let request = in_mode(DataMode::TMPFS);
    let request = Request {
        data: Data {
            flags: Data::KEEP,
            ..request.data
        },
        ..request
    };
    let _master = Master::start();
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::DATA_KEEP, libc::ENOSYS));
}
