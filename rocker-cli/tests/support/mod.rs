//! The command under test, and what came of it.

#![allow(dead_code, reason = "each test uses its part")]

pub mod entered;

use rocker_testing::{Traces, binary, make_dir, package};
use std::path::Path;
use std::process::{Command, Output};

/// The command `rocker run` with the package of [`package`]; what follows is up to the case.
pub fn run(arguments: &[&str]) -> Command {
    let package = package();
    let mut command = rocker(&["run"]);
    command.arg(package).args(arguments);
    command
}

/// `rocker` with these arguments, in an environment with a plain `$PATH` and nothing else.
pub fn rocker(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("rocker"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    command
}

/// Runs it to its end; gives exit status, standard output and standard error.
pub fn outcome(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        status.code().expect("rocker was killed"),
        text(stdout),
        text(stderr),
    )
}

/// What a shell script prints in a sandbox; it must succeed without a word on standard error.
pub fn script(options: &[&str], text: &str) -> String {
    let mut command = run(options);
    command.args(["--", "sh", "-c", text]);
    let (status, stdout, stderr) = outcome(&mut command);
    assert_eq!((status, stderr.as_str()), (0, ""), "{text}");
    stdout
}

/// What a bad command line must come to: this exit status, this line, and a host as before.
pub fn refused(arguments: &[&str], status: i32, says: &str) {
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

/// The host as a run should find and leave it: the directory for all runs is there.
pub fn before() -> Traces {
    package();
    make_dir("/run/rocker/app", 0o755);
    Traces::now(Path::new("/run/rocker"))
}

pub fn now() -> Traces {
    Traces::now(Path::new("/run/rocker"))
}

pub const WORKS: &str = "Rocker works here.";

/// Its exit status and lines; it must say nothing on standard error.
pub fn check() -> (i32, Vec<String>) {
    let (status, stdout, stderr) = outcome(&mut rocker(&["check"]));
    assert_eq!(stderr, "");
    (status, stdout.lines().map(str::to_owned).collect())
}

/// The line of one feature.
pub fn line<'a>(lines: &'a [String], feature: &str) -> &'a str {
    let named = |line: &&String| line.get(8..).is_some_and(|rest| rest.starts_with(feature));
    lines
        .iter()
        .find(named)
        .unwrap_or_else(|| panic!("no {feature} in {lines:#?}"))
}
