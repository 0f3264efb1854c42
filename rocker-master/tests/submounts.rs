//! What is mounted below an overlaid directory.

use rocker_client::Request;
use rocker_testing::{
    Case, Master, ask, errno_of, make_dir, mount, mount_at, mount_tmpfs, overlays, request,
    run_cases_on_both_kernels,
};
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("submounts_stay_visible", submounts_stay_visible),
    (
        "submounts_keep_their_restrictions",
        submounts_keep_their_restrictions,
    ),
];

fn nested_request() -> Request<'static> {
    make_dir("/run/var", 0o755);
    Request {
        overlays: overlays(&[c"/run/var"]),
        ..request()
    }
}

fn submounts_stay_visible() {
    let request = nested_request();
    mount_tmpfs("/run/var/mnt", 0);
    fs::write("/run/var/mnt/file", "submount").unwrap();
    mount_tmpfs("/run/var/mnt/deep er", 0);
    fs::write("/run/var/mnt/deep er/file", "deeper").unwrap();
    fs::write("/run/var/one", "").unwrap();
    fs::write("/run/single", "a file bound").unwrap();
    mount("/run/single", "/run/var/one", "", libc::MS_BIND, "").unwrap();
    let _master = Master::start();
    let text = ask(&request, &|| {
        let files = [
            "/run/var/mnt/file",
            "/run/var/mnt/deep er/file",
            "/run/var/one",
        ];
        files
            .map(|file| fs::read_to_string(file).unwrap())
            .join(",")
    });
    assert_eq!(text, "submount,deeper,a file bound");
}

fn submounts_keep_their_restrictions() {
    let request = nested_request();
    mount_tmpfs("/run/var/plain", 0);
    mount_tmpfs("/run/var/strict", libc::MS_NOEXEC);
    fs::write("/run/var/strict/file", "x").unwrap();
    mount(
        "",
        "/run/var/strict",
        "",
        libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | libc::MS_NOEXEC,
        "",
    )
    .unwrap();
    let _master = Master::start();
    let seen = ask(&request, &|| {
        let at = |point| mount_at(point).unwrap().options.join(" ");
        let write = errno_of(fs::write("/run/var/strict/new", "x"));
        format!(
            "{}\n{}\n{write:?}",
            at("/run/var/plain"),
            at("/run/var/strict")
        )
    });
    let [plain, strict, write] = seen.lines().collect::<Vec<_>>()[..] else {
        panic!("{seen}");
    };
    let has = |options: &str, option: &str| options.split(' ').any(|have| have == option);
    for option in ["rw", "nosuid", "nodev"] {
        assert!(has(plain, option), "{option}: {plain}");
    }
    assert!(!has(plain, "noexec"), "{plain}");
    for option in ["ro", "nosuid", "nodev", "noexec"] {
        assert!(has(strict, option), "{option}: {strict}");
    }
    assert_eq!(write, format!("{:?}", Some(libc::EROFS)));
}
