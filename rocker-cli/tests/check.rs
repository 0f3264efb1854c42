//! `rocker check`: what it says on this kernel is what works, and it changes nothing.

mod support;

use rocker_testing::{Case, Master, Traces, become_user, in_fork, run_cases};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use support::{WORKS, check, line, outcome, rocker, run};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("this_kernel_is_good_enough", this_kernel_is_good_enough),
    ("what_it_says_is_what_works", what_it_says_is_what_works),
    ("it_changes_nothing", it_changes_nothing),
    ("it_leaves_no_loop_device", it_leaves_no_loop_device),
    ("others_than_root_are_told_so", others_than_root_are_told_so),
    ("a_master_that_serves_is_seen", a_master_that_serves_is_seen),
];

fn this_kernel_is_good_enough() {
    let (status, lines) = check();
    assert_eq!(status, 0, "{lines:#?}");
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(
        lines.first().unwrap(),
        &format!("kernel  {}", release.trim())
    );
    assert_eq!(lines.last().unwrap(), WORKS);
    assert_eq!(outcome(&mut run(&["true"])).0, 0);
    let tags = ["kernel  ", "ok      ", "without ", "info    "];
    for line in &lines[..lines.len() - 1] {
        assert!(tags.iter().any(|tag| line.starts_with(tag)), "{line}");
    }
}

/// Each compression by a package that really is compressed that way.
fn what_it_says_is_what_works() {
    use rocker_pack::Compression;
    let (_, lines) = check();
    let tree = Path::new("/run/tree");
    fs::create_dir(tree).unwrap();
    fs::write(tree.join("file"), "text ".repeat(10_000)).unwrap();
    for (name, compression) in [
        ("squashfs, gzip", Compression::Gzip),
        ("squashfs, xz", Compression::Xz),
        ("squashfs, lz4", Compression::Lz4),
        ("squashfs, zstd", Compression::Zstd),
    ] {
        let package = format!("/run/{compression:?}.sqfs");
        rocker_testing::package_of(tree, Path::new(&package), |options| {
            options.compression = compression
        });
        let (status, stdout, _) = outcome(&mut rocker(&[
            "run",
            &package,
            "sh",
            "-c",
            "wc -c < $ROCKER_EXEC_DIR/file",
        ]));
        let works = (status, stdout.trim()) == (0, "50000");
        assert_eq!(line(&lines, name).starts_with("ok "), works, "{name}");
    }
}

fn it_changes_nothing() {
    let list = || fs::read_dir("/run").unwrap().count();
    let (before, names) = (Traces::now(Path::new("/run")), list());
    check();
    assert_eq!(Traces::now(Path::new("/run")), before);
    assert_eq!(list(), names);
}

fn it_leaves_no_loop_device() {
    // Its images have no path, so they are looked for by their name.
    let ours = || {
        fs::read_dir("/sys/block")
            .unwrap()
            .filter(|entry| {
                let file = entry.as_ref().unwrap().path().join("loop/backing_file");
                fs::read_to_string(file).is_ok_and(|name| name.contains("rocker-check"))
            })
            .count()
    };
    for _ in 0..5 {
        check();
        assert_eq!(ours(), 0);
    }
}

fn others_than_root_are_told_so() {
    fs::copy(rocker_testing::binary("rocker"), "/run/rocker").unwrap();
    let (mut reader, writer) = rocker_testing::pipe();
    let status = in_fork(|| {
        become_user(1000);
        let mut command = std::process::Command::new("/run/rocker");
        command
            .arg("check")
            .stdout(writer.try_clone().unwrap())
            .stderr(writer.try_clone().unwrap());
        command.status().unwrap().code().unwrap()
    });
    drop(writer);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
    assert_eq!(
        (status, said.as_str()),
        (
            125,
            "rocker: cannot check as this user: EPERM; run this as root\n"
        )
    );
}

fn a_master_that_serves_is_seen() {
    let none = "info    no master at /run/rocker/master.sock: ENOENT";
    assert!(check().1.iter().any(|line| line == none));
    let _master = Master::start();
    assert!(
        check()
            .1
            .iter()
            .any(|line| line == "info    a master serves at /run/rocker/master.sock")
    );
}
