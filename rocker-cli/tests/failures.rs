//! Sandboxes that cannot be made: what is said, the exit status, and a host as before.

mod support;

use rocker_testing::{Case, become_user, in_fork, make_dir, package, run_cases};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;
use support::{outcome, refused, rocker};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
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
];

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
