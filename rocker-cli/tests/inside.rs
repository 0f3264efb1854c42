//! What an App of `rocker run` finds, who it is, and where its changes go.

mod support;

use rocker_testing::{Case, run_cases};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use support::{outcome, rocker, run, script};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "the_environment_is_the_commands",
        the_environment_is_the_commands,
    ),
    (
        "too_many_variables_are_refused",
        too_many_variables_are_refused,
    ),
    (
        "the_package_is_at_rocker_exec_dir",
        the_package_is_at_rocker_exec_dir,
    ),
    (
        "the_app_is_nobody_without_privileges",
        the_app_is_nobody_without_privileges,
    ),
    (
        "uid_and_gid_are_the_given_ones_on_the_host_too",
        uid_and_gid_are_the_given_ones_on_the_host_too,
    ),
    (
        "the_app_has_no_descriptor_but_the_standard_ones",
        the_app_has_no_descriptor_but_the_standard_ones,
    ),
    (
        "every_signal_is_as_the_caller_had_it",
        every_signal_is_as_the_caller_had_it,
    ),
    (
        "without_a_data_dir_changes_are_thrown_away",
        without_a_data_dir_changes_are_thrown_away,
    ),
    ("a_data_dir_keeps_changes", a_data_dir_keeps_changes),
    (
        "only_named_directories_are_overlaid",
        only_named_directories_are_overlaid,
    ),
    ("sixteen_overlays_work", sixteen_overlays_work),
    (
        "relative_paths_start_at_the_current_directory",
        relative_paths_start_at_the_current_directory,
    ),
];

fn the_environment_is_the_commands() {
    let mut command = run(&["env"]);
    command
        .env("ONE", "1 and\nmore")
        .env("ROCKER_EXEC_DIR", "/wrong");
    let (_, stdout, _) = outcome(&mut command);
    assert_eq!(
        stdout,
        "ONE=1 and\nmore\nPATH=/usr/bin:/bin\nROCKER_EXEC_DIR=/run/rocker/app\n"
    );
}

fn too_many_variables_are_refused() {
    let mut command = run(&["true"]);
    command.envs((0..1021).map(|number| (format!("V{number}"), "")));
    assert_eq!(outcome(&mut command).0, 0);
    let (status, _, stderr) = outcome(command.env("ANOTHER", ""));
    assert_eq!(status, 125);
    let text =
        "too many environment variables: E2BIG (1022 are the most; run this with fewer: env -i)";
    assert_eq!(stderr, format!("rocker: {text}\n"));
}

fn the_package_is_at_rocker_exec_dir() {
    assert_eq!(
        script(&[], "cat $ROCKER_EXEC_DIR/hello"),
        "hello from the package\n"
    );
    fs::create_dir("/run/elsewhere").unwrap();
    let options = ["--exec-dir", "/run/elsewhere"];
    let text =
        "echo $ROCKER_EXEC_DIR; cat /run/elsewhere/hello; ls /run/rocker/app 2>/dev/null | wc -l";
    assert_eq!(
        script(&options, text),
        "/run/elsewhere\nhello from the package\n0\n"
    );
    assert!(fs::read_dir("/run/elsewhere").unwrap().next().is_none());
}

fn the_app_is_nobody_without_privileges() {
    let text = "id -u; id -g; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status";
    let none = "0000000000000000";
    let expected =
        format!("65534\n65534\n65534\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\n");
    assert_eq!(script(&[], text), expected);
}

fn uid_and_gid_are_the_given_ones_on_the_host_too() {
    let mut command = run(&[
        "--uid",
        "1234",
        "--gid",
        "4321",
        "sh",
        "-c",
        "id -u; id -g; read line",
    ]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ids = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut ids).unwrap();
    assert_eq!(&ids, b"1234\n4321\n");
    let app = rocker_testing::children_of(child.id().cast_signed())
        .into_iter()
        .find(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() == "sh\n")
        .unwrap();
    let status = fs::read_to_string(format!("/proc/{app}/status")).unwrap();
    assert!(
        status.contains("Uid:\t1234\t1234\t1234\t1234\n"),
        "{status}"
    );
    assert!(
        status.contains("Gid:\t4321\t4321\t4321\t4321\n"),
        "{status}"
    );
    drop(child.stdin.take());
    child.wait().unwrap();
}

fn the_app_has_no_descriptor_but_the_standard_ones() {
    // The fourth is of ls itself.
    assert_eq!(script(&[], "ls /proc/self/fd"), "0\n1\n2\n3\n");
}

fn every_signal_is_as_the_caller_had_it() {
    let lines = script(&[], "grep -E '^Sig(Blk|Ign)' /proc/self/status");
    assert_eq!(
        lines,
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
    );
}

fn without_a_data_dir_changes_are_thrown_away() {
    let options = ["--overlay", "/etc"];
    assert_eq!(script(&options, "echo x > /etc/new && cat /etc/new"), "x\n");
    assert_eq!(
        script(&options, "ls /etc/new 2>/dev/null || echo gone"),
        "gone\n"
    );
    assert!(!Path::new("/etc/new").exists());
    let left: Vec<_> = fs::read_dir("/run/rocker")
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["app"]);
}

fn a_data_dir_keeps_changes() {
    fs::create_dir("/run/data").unwrap();
    let options = ["--overlay", "/etc", "--data-dir", "/run/data"];
    script(&options, "echo kept > /etc/new");
    assert_eq!(script(&options, "cat /etc/new"), "kept\n");
    assert!(!Path::new("/etc/new").exists());
}

fn only_named_directories_are_overlaid() {
    let text = "for dir in etc opt; do echo x 2>/dev/null > /$dir/new && echo $dir; done; true";
    assert_eq!(script(&["--overlay", "/etc"], text), "etc\n");
    assert_eq!(script(&[], text), "etc\nopt\n");
}

fn sixteen_overlays_work() {
    let dirs: Vec<String> = (0..16).map(|number| format!("/run/dir{number}")).collect();
    let mut options = Vec::new();
    for dir in &dirs {
        fs::create_dir(dir).unwrap();
        options.extend(["--overlay", dir.as_str()]);
    }
    let counted = script(
        &options,
        "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do > /run/dir$n/x; done; ls /run/dir*/x | wc -l",
    );
    assert_eq!(counted, "16\n");
    assert!(
        dirs.iter()
            .all(|dir| fs::read_dir(dir).unwrap().next().is_none())
    );
}

fn relative_paths_start_at_the_current_directory() {
    for dir in ["/run/home/exec", "/run/home/data", "/run/home/over"] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::copy(rocker_testing::package(), "/run/home/my.sqfs").unwrap();
    let mut command = rocker(&[
        "run",
        "./my.sqfs",
        "--exec-dir=exec/",
        "--data-dir",
        ".//data",
        "--overlay",
        "./over",
    ]);
    command.args([
        "sh",
        "-c",
        "echo $ROCKER_EXEC_DIR; cat exec/hello || cat /run/home/exec/hello; > /run/home/over/new",
    ]);
    let (status, stdout, _) = outcome(command.current_dir("/run/home"));
    assert_eq!(
        (status, stdout.as_str()),
        (0, "/run/home/exec\nhello from the package\n")
    );
    assert!(fs::read_dir("/run/home/data").unwrap().next().is_some());
    assert!(fs::read_dir("/run/home/over").unwrap().next().is_none());
}
