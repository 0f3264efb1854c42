//! What the tests of signatures do: run rocker-pack and minisign beside a package, and change what they have made.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use rocker_pack::{Options, build};

use crate::fixture::Fixture;

/// A signature, on the package's end.
pub const PAGE: usize = 4096;

/// A directory with a package, `app.sqfs`.
pub fn packed() -> Fixture {
    let fixture = Fixture::small();
    build(&Options::new(
        fixture.tree(),
        fixture.out().join("app.sqfs"),
    ))
    .unwrap();
    fixture
}

/// Runs a program in there, with a line on its standard input.
pub fn run(fixture: &Fixture, program: &str, arguments: &str, input: &str) -> Output {
    let mut command = Command::new(program);
    command
        .current_dir(fixture.out())
        .args(arguments.split_whitespace());
    command.env("SOURCE_DATE_EPOCH", "1000000000");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}: see ci/setup.sh"));
    // It may not want any.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

pub fn rocker_pack(fixture: &Fixture, arguments: &str) -> Output {
    run(fixture, env!("CARGO_BIN_EXE_rocker-pack"), arguments, "")
}

pub fn minisign(fixture: &Fixture, arguments: &str) -> Output {
    run(fixture, "minisign", arguments, "\n")
}

#[track_caller]
pub fn done(output: Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(output.status.success(), "{}: {text}", output.status);
    text
}

#[track_caller]
pub fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

pub fn read(fixture: &Fixture, name: &str) -> Vec<u8> {
    fs::read(fixture.out().join(name)).unwrap()
}

pub fn write(fixture: &Fixture, name: &str, bytes: &[u8]) {
    fs::write(fixture.out().join(name), bytes).unwrap();
}

pub fn change(fixture: &Fixture, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = read(fixture, name);
    change(&mut bytes);
    write(fixture, name, &bytes);
}
