//! `rocker check --config`: what is wrong with a policy, and where.

mod support;

use rocker_testing::{Case, Master, POLICY, Traces, as_user, binary, make_dir, run_cases};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, ExitCode};
use support::{outcome, rocker, run};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("a_good_file_is_passed_over", a_good_file_is_passed_over),
    ("the_example_is_good", the_example_is_good),
    ("a_mistake_has_its_place", a_mistake_has_its_place),
    ("no_file_is_no_mistake_but_a_named_one", no_file),
    (
        "a_file_that_others_can_write_is_refused",
        a_file_that_others_can_write_is_refused,
    ),
    ("what_is_no_file_is_refused", what_is_no_file_is_refused),
    ("a_large_file_is_refused", a_large_file_is_refused),
    ("users_may_check", users_may_check),
    (
        "what_a_policy_forbids_is_said_to_be_its_word",
        what_a_policy_forbids_is_said_to_be_its_word,
    ),
];

fn check(path: &str) -> (i32, String) {
    let (status, stdout, stderr) = outcome(&mut rocker(&["check", "--config", path]));
    assert_eq!(stdout, "");
    (status, stderr)
}

const GOOD: (i32, String) = (0, String::new());

fn wrong(why: &str) -> (i32, String) {
    (1, format!("{POLICY}:{why}\n"))
}

fn a_good_file_is_passed_over() {
    fs::write(POLICY, "[peer uid=1000]\npackage-dir /data\n").unwrap();
    let before = Traces::now(Path::new("/run"));
    assert_eq!(check(POLICY), GOOD);
    assert_eq!(Traces::now(Path::new("/run")), before);
}

fn the_example_is_good() {
    let example = include_str!("../../rocker-master/rocker.conf.example");
    fs::write(POLICY, example).unwrap();
    assert_eq!(check(POLICY), GOOD);
    // What it shows of root too.
    fs::write(
        POLICY,
        example.replace("\n#[", "\n[").replace("\n#p", "\np"),
    )
    .unwrap();
    assert_eq!(check(POLICY), GOOD);
}

fn a_mistake_has_its_place() {
    fs::write(POLICY, "# x\n[peer uid=1000]\n  app-uid  root\n").unwrap();
    assert_eq!(check(POLICY), wrong("3:12: expected N or N-M, above 0"));
}

fn no_file() {
    assert_eq!(check(POLICY), wrong(" ENOENT(2)"));
    if !fs::exists("/etc/rocker/rocker.conf").unwrap() {
        assert_eq!(outcome(&mut rocker(&["check", "--config"])).0, 0);
    }
}

fn a_file_that_others_can_write_is_refused() {
    let refused = wrong(" expected a file that only root can write");
    fs::write(POLICY, "").unwrap();
    for mode in [0o664, 0o646, 0o666] {
        fs::set_permissions(POLICY, PermissionsExt::from_mode(mode)).unwrap();
        assert_eq!(check(POLICY), refused, "{mode:o}");
    }
    fs::set_permissions(POLICY, PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(check(POLICY), GOOD);
    chown(POLICY, Some(1000), None).unwrap();
    assert_eq!(check(POLICY), refused);
}

fn what_is_no_file_is_refused() {
    let refused = wrong(" expected a file that only root can write");
    make_dir(POLICY, 0o755);
    assert_eq!(check(POLICY), refused);
    fs::remove_dir(POLICY).unwrap();
    // Nobody would ever write to it: it must not be waited for.
    assert!(
        Command::new("mkfifo")
            .arg(POLICY)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(check(POLICY), refused);
    fs::remove_file(POLICY).unwrap();
    // A link in a directory of somebody else's, to a file of root's.
    make_dir("/run/theirs", 0o777);
    fs::write("/run/good", "").unwrap();
    symlink("/run/good", "/run/theirs/link").unwrap();
    let (status, said) = check("/run/theirs/link");
    assert_eq!(
        (status, said.as_str()),
        (1, "/run/theirs/link: ELOOP(40)\n")
    );
    symlink("/run/good", POLICY).unwrap();
    assert_eq!(check(POLICY), GOOD);
}

fn a_large_file_is_refused() {
    fs::write(POLICY, "#".repeat(65_535)).unwrap();
    assert_eq!(check(POLICY), GOOD);
    fs::write(POLICY, "#".repeat(65_536)).unwrap();
    assert_eq!(check(POLICY), wrong(" EFBIG(27)"));
}

/// Where it was built users may not be able to go.
fn users_may_check() {
    for name in ["rocker", "rocker-master"] {
        fs::copy(binary(name), format!("/run/{name}")).unwrap();
    }
    let status = |path: &str| {
        as_user(1000, || {
            let mut command = Command::new("/run/rocker");
            command.args(["check", "--config", path]);
            outcome(&mut command).0
        })
    };
    fs::write(POLICY, "").unwrap();
    assert_eq!(status(POLICY), 0);
    fs::write(POLICY, "x").unwrap();
    assert_eq!(status(POLICY), 1);
}

fn what_a_policy_forbids_is_said_to_be_its_word() {
    let _master = Master::start_with_policy("[peer uid=0]\noverlay-dir /etc\napp-uid 5\n");
    let why = |options: &[&str]| {
        let mut command = run(&[options, &["true"]].concat());
        let (status, _, stderr) = outcome(&mut command);
        assert_eq!(status, 125);
        stderr
    };
    let word = "EPERM (the master's rocker.conf does not allow it)\n";
    let overlay = ["--overlay", "/root", "--uid", "5"];
    let expected = format!("rocker: cannot overlay /root: {word}");
    assert_eq!(why(&overlay), expected);
    assert_eq!(why(&["--uid", "6"]), format!("rocker: uid: {word}"));
}
