//! `rocker run`: where the changes live.

mod support;

use rocker_testing::{Case, make_dir, run_cases};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use support::{before, now, outcome, run, script};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "a_tmpfs_needs_no_data_directory",
        a_tmpfs_needs_no_data_directory,
    ),
    (
        "a_full_tmpfs_is_an_error_of_the_command_s",
        a_full_tmpfs_is_an_error_of_the_command_s,
    ),
    (
        "volatile_changes_are_found_again",
        volatile_changes_are_found_again,
    ),
    (
        "without_overlays_the_host_s_files_are_changed",
        without_overlays_the_host_s_files_are_changed,
    ),
];

fn a_tmpfs_needs_no_data_directory() {
    make_dir("/run/lower", 0o755);
    let host = before();
    let options = ["--data", "tmpfs", "--overlay", "/run/lower"];
    // What the master of this run has there is going meanwhile.
    let text = "echo x > /run/lower/new; cat /run/lower/new; ls /run/rocker | grep -v ^run";
    assert_eq!(script(&options, text), "x\napp\n");
    assert_eq!(now(), host);
    assert!(!Path::new("/run/lower/new").exists());
}

fn a_full_tmpfs_is_an_error_of_the_command_s() {
    make_dir("/run/lower", 0o755);
    let mut command = run(&["--data=tmpfs", "--data-size=1M", "--overlay=/run/lower"]);
    command.args([
        "--",
        "dd",
        "if=/dev/zero",
        "of=/run/lower/new",
        "bs=64K",
        "status=none",
    ]);
    let (status, _, stderr) = outcome(&mut command);
    assert_eq!(status, 1);
    assert!(stderr.contains("No space left on device"), "{stderr}");
}

fn volatile_changes_are_found_again() {
    make_dir("/run/lower", 0o755);
    make_dir("/run/kept", 0o755);
    let mut options = vec!["--data-dir", "/run/kept", "--overlay", "/run/lower"];
    script(
        &[options.as_slice(), &["--data", "volatile"]].concat(),
        "echo x > /run/lower/new",
    );
    options.extend(["--data", "disk"]);
    assert_eq!(script(&options, "cat /run/lower/new"), "x\n");
}

fn without_overlays_the_host_s_files_are_changed() {
    make_dir("/run/open", 0o777);
    let host = before();
    let text = "echo x > /run/open/new; grep -c ' overlay ' /proc/self/mounts || :";
    let overlays = fs::read_to_string("/proc/self/mounts").unwrap();
    let overlays = overlays.matches(" overlay ").count();
    assert_eq!(script(&["--no-overlays"], text), format!("{overlays}\n"));
    assert_eq!(fs::read_to_string("/run/open/new").unwrap(), "x\n");
    assert_eq!(now(), host);
}
