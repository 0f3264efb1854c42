//! `Rocker`: the command under test, and what came of it.

use rocker_testing::{binary, package};
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
