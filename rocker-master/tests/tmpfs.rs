//! Changes in memory: what a tmpfs holds, and what becomes of it.

use rocker_client::{Data, DataMode, Failure, Request, Stage};
use rocker_testing::{
    Case, Master, Program, Sandbox, ask, c_path, launch, make_dir, mounts, overlays, request,
    run_cases_on_both_kernels, wait_for, wait_for_guard,
};
use std::fs::{self, File};
use std::io::{Error, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
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
        "writing_back_is_refused_by_name",
        writing_back_is_refused_by_name,
    ),
    (
        "what_is_written_by_a_descriptor_stays",
        what_is_written_by_a_descriptor_stays,
    ),
];

/// The usual launch, with the changes to `/run/lower` in memory.
fn on_tmpfs(size_kib: u32) -> Request<'static> {
    make_dir("/run/lower", 0o755);
    Request {
        overlays: overlays(&[c"/run/lower"]),
        data: Data {
            mode: DataMode::TMPFS,
            size_kib,
            ..Data::DISK
        },
        data_dir: c"",
        ..request()
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

fn writing_back_is_refused_by_name() {
    let request = on_tmpfs(0);
    let request = Request {
        data: Data {
            flags: Data::KEEP,
            ..request.data
        },
        data_dir: c"/run/data",
        ..request
    };
    let _master = Master::start();
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::DATA_KEEP, libc::ENOSYS));
}

/// What of a tmpfs is to stay, an App writes to a file that its AppMaster has opened where no path of its own leads. The
/// AppMaster knows what a good end is, and gives the file its name then.
fn what_is_written_by_a_descriptor_stays() {
    const STATE: &str = "/run/closed/state";
    const NEW: &str = "/run/closed/state.new";
    let request = on_tmpfs(0);
    make_dir("/run/closed", 0o700);
    fs::write(STATE, "").unwrap();
    let _master = Master::start();
    let run = |script: &str| {
        let (state, new) = (File::open(STATE).unwrap(), File::create(NEW).unwrap());
        let keep = [state.as_raw_fd(), new.as_raw_fd()];
        let script = format!("cd /run/lower; exec <&{} >&{}; {script}", keep[0], keep[1]);
        let program = Program {
            arguments: &["/bin/sh", "-c", &script],
            keep: &keep,
            ..Program::default()
        };
        let launched = program.launch(&request).unwrap();
        let status = wait_for(launched.app_pid);
        wait_for_guard(&launched);
        if status == 0 {
            new.sync_all().unwrap();
            fs::rename(NEW, STATE).unwrap();
        }
        status
    };
    let count =
        "test ! -e /run/closed/state && test ! -e count && cat > count && echo one more >> count";
    assert_eq!(run(&format!("{count} && cat count")), 0);
    assert_eq!(run(&format!("{count} && echo half; kill -9 $$")), 137);
    assert_eq!(run(&format!("{count} && cat count")), 0);
    let state = fs::read_to_string(STATE).unwrap();
    assert_eq!(state, "one more\none more\n");
}
