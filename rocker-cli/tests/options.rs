//! Every bad value of every option: what is said, the exit status, and a host as before.

mod support;

use rocker_testing::{Case, Traces, become_user, in_fork, make_dir, package, run_cases};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;
use support::{outcome, rocker, run};

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
    ("what_is_no_package_is_named", what_is_no_package_is_named),
    (
        "what_is_no_directory_is_named",
        what_is_no_directory_is_named,
    ),
    ("bad_overlays_are_named", bad_overlays_are_named),
    ("strangers_links_are_named", strangers_links_are_named),
    (
        "a_data_dir_on_an_overlay_is_named",
        a_data_dir_on_an_overlay_is_named,
    ),
    (
        "a_socket_path_that_is_too_long_is_named",
        a_socket_path_that_is_too_long_is_named,
    ),
    (
        "no_master_and_not_root_is_named",
        no_master_and_not_root_is_named,
    ),
    (
        "options_may_have_their_value_behind_an_equals_sign",
        options_may_have_their_value_behind_an_equals_sign,
    ),
    (
        "what_follows_the_command_is_the_commands",
        what_follows_the_command_is_the_commands,
    ),
];

/// What a bad command line must come to: this exit status, this line, and a host as before.
fn refused(arguments: &[&str], status: i32, says: &str) {
    // What a run may leave: the directory of all runs.
    make_dir("/run/rocker/app", 0o755);
    let before = Traces::now(Path::new("/run"));
    let got = outcome(&mut rocker(arguments));
    assert_eq!(
        got,
        (status, String::new(), format!("rocker: {says}\n")),
        "{arguments:?}"
    );
    assert_eq!(Traces::now(Path::new("/run")), before, "{arguments:?}");
}

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
    let which = "run which package? Try rocker --help";
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
    bad(&["check", "all"], "check takes no argument, not all");
    for option in [
        "--uid",
        "--gid",
        "--app-id",
        "--exec-dir",
        "--data-dir",
        "--overlay",
        "--socket",
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

fn what_is_no_package_is_named() {
    package();
    let whole = fs::read("/run/app.sqfs").unwrap();
    fs::write("/run/text", "no package\n".repeat(1000)).unwrap();
    fs::write("/run/cut", &whole[..130]).unwrap();
    fs::write("/run/empty", "").unwrap();
    let bad = |arguments: &[&str], says: &str| refused(arguments, 125, says);
    bad(
        &["run", "/run/none", "true"],
        "cannot open the package /run/none: ENOENT (it does not exist)",
    );
    bad(
        &["run", "/", "true"],
        "cannot open the package /: EINVAL (it may not be `/`)",
    );
    bad(
        &["run", "/run/text", "true"],
        "not a package: /run/text: EMEDIUMTYPE (neither squashfs nor erofs; make one with rocker-pack)",
    );
    bad(
        &["run", "/run/cut", "true"],
        "not a package: /run/cut: ENODATA (it is cut off; copy it again)",
    );
    bad(
        &["run", "/run/empty", "true"],
        "not a package: /run/empty: EMEDIUMTYPE (neither squashfs nor erofs; make one with rocker-pack)",
    );
}

fn what_is_no_directory_is_named() {
    package();
    for (option, what) in [("--exec-dir", "exec"), ("--data-dir", "data")] {
        for (dir, why) in [
            ("/run/none", "ENOENT (make it: mkdir -p)"),
            ("/run/app.sqfs", "ENOTDIR (not a directory)"),
            ("/", "EINVAL (it may not be `/`)"),
        ] {
            let says = format!("cannot use the {what} directory {dir}: {why}");
            let arguments = ["run", "/run/app.sqfs", option, dir, "true"];
            refused(&arguments, 125, &says);
        }
    }
}

fn bad_overlays_are_named() {
    package();
    let kernels = "EINVAL (it may not be `/`, nor lie in /proc, /sys or /dev)";
    for (dir, why) in [
        ("/run/none", "ENOENT (it does not exist)"),
        ("/run/app.sqfs", "ENOTDIR (not a directory)"),
        ("/", kernels),
        ("/proc", kernels),
        ("/sys/fs", kernels),
        ("/dev", kernels),
    ] {
        let says = format!("cannot overlay {dir}: {why}");
        let arguments = [
            "run",
            "/run/app.sqfs",
            "--overlay",
            "/etc",
            "--overlay",
            dir,
            "true",
        ];
        refused(&arguments, 125, &says);
    }
    let twice = [
        "run",
        "/run/app.sqfs",
        "--overlay",
        "/etc",
        "--overlay",
        "/etc/",
        "true",
    ];
    refused(&twice, 125, "cannot overlay /etc: EEXIST (named twice)");
}

fn strangers_links_are_named() {
    package();
    make_dir("/run/open", 0o777);
    make_dir("/run/dir", 0o755);
    symlink("/run/dir", "/run/open/link").unwrap();
    std::os::unix::fs::lchown("/run/open/link", Some(1000), Some(1000)).unwrap();
    let why = "ELOOP (a symbolic link that somebody other than root could have made; name what it leads to)";
    for (option, what) in [
        ("--exec-dir", "cannot use the exec directory"),
        ("--data-dir", "cannot use the data directory"),
        ("--overlay", "cannot overlay"),
    ] {
        let says = format!("{what} /run/open/link: {why}");
        let arguments = ["run", "/run/app.sqfs", option, "/run/open/link", "true"];
        refused(&arguments, 125, &says);
    }
}

fn a_data_dir_on_an_overlay_is_named() {
    package();
    for dir in ["lower", "upper", "work", "merged"] {
        make_dir(format!("/run/fs/{dir}"), 0o755);
    }
    let data = "lowerdir=/run/fs/lower,upperdir=/run/fs/upper,workdir=/run/fs/work";
    rocker_testing::mount(
        Path::new("overlay"),
        Path::new("/run/fs/merged"),
        "overlay",
        0,
        data,
    )
    .unwrap();
    let (status, _, stderr) = outcome(&mut rocker(&[
        "run",
        "/run/app.sqfs",
        "--data-dir",
        "/run/fs/merged",
        "true",
    ]));
    assert_eq!(status, 125);
    let start = "rocker: cannot use the data directory /run/fs/merged: ";
    let end = "it lies on an overlayfs, which cannot hold an overlay's changes; choose --data-dir on another file system)\n";
    assert!(
        stderr.starts_with(start) && stderr.ends_with(end),
        "{stderr}"
    );
}

fn a_socket_path_that_is_too_long_is_named() {
    package();
    let socket = format!("/run/{}", "s".repeat(103));
    let says = format!(
        "no address for the master is possible: {socket}: ENAMETOOLONG (107 bytes are the most)"
    );
    let arguments = ["run", "/run/app.sqfs", "--socket", &socket, "true"];
    refused(&arguments, 125, &says);
}

fn no_master_and_not_root_is_named() {
    let package = package();
    make_dir("/run/home/data", 0o777);
    fs::copy(package, "/run/home/app.sqfs").unwrap();
    // Where the programs are, others may not look.
    fs::copy(rocker_testing::binary("rocker"), "/run/home/rocker").unwrap();
    let as_user = |arguments: &[&str]| {
        let (mut reader, writer) = rocker_testing::pipe();
        let status = in_fork(|| {
            become_user(1000);
            let mut command = std::process::Command::new("/run/home/rocker");
            command
                .args(["run", "/run/home/app.sqfs"])
                .args(arguments)
                .arg("true");
            command
                .stderr(writer.try_clone().unwrap())
                .status()
                .unwrap()
                .code()
                .unwrap()
        });
        drop(writer);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
        (status, said)
    };
    let why = "EACCES; run this as root, or name others with --exec-dir and --data-dir";
    assert_eq!(
        as_user(&[]),
        (
            125,
            format!("rocker: cannot make a directory in /run/rocker: {why}\n")
        )
    );
    let why = "ENOENT (none runs; start `rocker-master` as root, or run this as root)";
    let named = ["--exec-dir", "/run/home", "--data-dir", "/run/home/data"];
    assert_eq!(
        as_user(&named),
        (
            125,
            format!("rocker: cannot reach the master at /run/rocker/master.sock: {why}\n")
        )
    );
    let _master = rocker_testing::Master::start();
    let why = "EACCES (run this as root)";
    assert_eq!(
        as_user(&named),
        (
            125,
            format!("rocker: cannot reach the master at /run/rocker/master.sock: {why}\n")
        )
    );
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
