//! Every bad value of every option: what is said, the exit status, and a host as before.

mod support;

use rocker_testing::{Case, package, run_cases};
use std::fs;
use std::process::ExitCode;
use support::{outcome, refused, run};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("bad_numbers_are_refused", bad_numbers_are_refused),
    (
        "the_largest_numbers_are_taken",
        the_largest_numbers_are_taken,
    ),
    (
        "incomplete_command_lines_are_refused",
        incomplete_command_lines_are_refused,
    ),
    ("bad_paths_are_refused", bad_paths_are_refused),
    (
        "a_current_directory_that_is_gone_is_named",
        a_current_directory_that_is_gone_is_named,
    ),
    (
        "too_many_overlays_are_refused",
        too_many_overlays_are_refused,
    ),
    ("bad_data_options_are_refused", bad_data_options_are_refused),
    (
        "options_may_have_their_value_behind_an_equals_sign",
        options_may_have_their_value_behind_an_equals_sign,
    ),
    (
        "what_follows_the_command_is_the_commands",
        what_follows_the_command_is_the_commands,
    ),
];

fn bad_numbers_are_refused() {
    package();
    for (option, max) in [
        ("--uid", 4_294_967_294u32),
        ("--gid", 4_294_967_294),
        ("--app-id", 2_147_483_647),
    ] {
        let above = (u64::from(max) + 1).to_string();
        for value in [
            "0",
            "-1",
            "+1",
            "x",
            "1x",
            " 1",
            "1.0",
            "0x10",
            "4294967296",
            "99999999999999999999",
            &above,
        ] {
            let says = format!("{option} wants a number from 1 to {max}, not {value}");
            let arguments = ["run", "/run/app.sqfs", option, value, "true"];
            refused(&arguments, 2, &says);
        }
    }
}

fn the_largest_numbers_are_taken() {
    let most = [
        "--uid",
        "4294967294",
        "--gid",
        "4294967294",
        "--app-id",
        "2147483647",
    ];
    let got = outcome(run(&most).args(["sh", "-c", "id -u; id -g"]));
    assert_eq!(got, (0, "4294967294\n4294967294\n".into(), String::new()));
}

fn incomplete_command_lines_are_refused() {
    package();
    let which = "run what? Try rocker --help";
    let command = "run which command in /run/app.sqfs? Try rocker --help";
    let bad = |arguments: &[&str], says: &str| refused(arguments, 2, says);
    bad(&[], "run what? Try rocker --help");
    bad(&["walk"], "no such command: walk; try rocker --help");
    bad(&["run"], which);
    bad(&["run", "--", "/run/app.sqfs", "true"], which);
    bad(&["run", "", "/run/app.sqfs", "true"], which);
    bad(&["run", "/run/app.sqfs"], command);
    bad(&["run", "/run/app.sqfs", "--"], command);
    bad(&["run", "/run/app.sqfs", "--uid", "5"], command);
    bad(
        &["run", "/run/app.sqfs", "--wrong", "x"],
        "no such option: --wrong; try rocker --help",
    );
    bad(
        &["run", "/run/app.sqfs", "-u", "5"],
        "no such option: -u; try rocker --help",
    );
    bad(
        &["run", "/run/app.sqfs", "-", "x"],
        "no such option: -; try rocker --help",
    );
    bad(
        &["run", "/run/app.sqfs", "--wrong=5", "x"],
        "no such option: --wrong; try rocker --help",
    );
    bad(
        &["check", "all"],
        "check takes --config or nothing, not all",
    );
    bad(
        &["check", "--config", "a", "b"],
        "check takes --config or nothing, not --config",
    );
    for option in [
        "--uid",
        "--gid",
        "--app-id",
        "--exec-dir",
        "--data-dir",
        "--overlay",
        "--socket",
        "--data",
        "--data-size",
    ] {
        let says = format!("{option} wants a value");
        let behind = format!("{option}=");
        bad(&["run", "/run/app.sqfs", option], &says);
        bad(&["run", "/run/app.sqfs", option, "", "true"], &says);
        bad(&["run", "/run/app.sqfs", &behind, "true"], &says);
    }
}

fn bad_paths_are_refused() {
    package();
    let long = "a/".repeat(2100);
    let dots = "holds `..`, which symbolic links make ambiguous; write the path without it";
    for path in ["../x", "/run/../x", "/run/x/..", ".."] {
        let says = |option: &str| format!("{option} {path}: {dots}");
        refused(&["run", path, "true"], 2, &says("PACKAGE"));
        for option in ["--exec-dir", "--data-dir", "--overlay"] {
            let arguments = ["run", "/run/app.sqfs", option, path, "true"];
            refused(&arguments, 2, &says(option));
        }
    }
    for option in ["--exec-dir", "--data-dir", "--overlay"] {
        let says = format!("{option} {long}: E2BIG: the paths of a run have 4096 bytes together");
        let arguments = ["run", "/run/app.sqfs", option, &long, "true"];
        refused(&arguments, 2, &says);
    }
}

fn a_current_directory_that_is_gone_is_named() {
    let package = package();
    fs::create_dir("/run/gone").unwrap();
    let mut command = std::process::Command::new("sh");
    let rocker = rocker_testing::binary("rocker");
    command
        .args(["-c", "rmdir /run/gone; \"$0\" run \"$1\" --data-dir x true"])
        .arg(rocker)
        .arg(package);
    let says =
        "--data-dir: cannot tell what the current directory is: ENOENT; give an absolute path";
    assert_eq!(
        outcome(command.current_dir("/run/gone")),
        (2, String::new(), format!("rocker: {says}\n"))
    );
}

fn too_many_overlays_are_refused() {
    package();
    let dirs: Vec<String> = (1..=17)
        .map(|number| format!("--overlay=/run/dir{number}"))
        .collect();
    let mut arguments = vec!["run", "/run/app.sqfs"];
    arguments.extend(dirs.iter().map(String::as_str));
    arguments.push("true");
    refused(
        &arguments,
        2,
        "--overlay /run/dir17: 16 directories are the most",
    );
}

fn bad_data_options_are_refused() {
    package();
    let bad = |arguments: &[&str], status, says: &str| {
        let all = [&["run", "/run/app.sqfs"], arguments, &["true"]].concat();
        refused(&all, status, says);
    };
    for mode in ["ram", "Disk", "tmpfs ", "0"] {
        let says = format!("--data wants disk, tmpfs or volatile, not {mode}");
        bad(&["--data", mode], 2, &says);
    }
    for size in [
        "16",
        "16m",
        "0K",
        "M",
        "-1M",
        "1.5M",
        "16MB",
        "4194304G",
        "4294967296K",
    ] {
        let says = format!("--data-size wants a size such as 512K, 16M or 1G, not {size}");
        bad(&["--data", "tmpfs", "--data-size", size], 2, &says);
    }
    bad(&["--no-overlays=1"], 2, "--no-overlays takes no value");
    let tmpfs_only = |option: &str| format!("cannot use {option}: EINVAL (only with --data tmpfs)");
    bad(&["--data-size=1M"], 125, &tmpfs_only("--data-size"));
    let none = "cannot use --no-overlays: EINVAL (neither --overlay nor --data goes with it)";
    bad(&["--no-overlays", "--data=volatile"], 125, none);
    bad(&["--no-overlays", "--overlay=/etc"], 125, none);
}

fn options_may_have_their_value_behind_an_equals_sign() {
    let got = outcome(run(&["--uid=77", "--gid=78"]).args(["sh", "-c", "id -u; id -g"]));
    assert_eq!(got, (0, "77\n78\n".into(), String::new()));
}

fn what_follows_the_command_is_the_commands() {
    let got = outcome(&mut run(&["echo", "--uid", "0", "--", "-h"]));
    assert_eq!(got, (0, "--uid 0 -- -h\n".into(), String::new()));
    let got = outcome(&mut run(&["--", "echo", "--", "x"]));
    assert_eq!(got, (0, "-- x\n".into(), String::new()));
}
