//! Where an App's changes live: each data mode does what it says.

use rocker_client::{Data, Request};
use rocker_testing::{
    Case, Master, ask, make_dir, mounts, overlays, request, run_cases_on_both_kernels,
};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

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
];

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
