//! `probe.c`: one launch that may fail, and what it said.

use crate::compile::{C, Link, compile, expect_success};
use rocker_testing::{Master, request};
use std::path::PathBuf;
use std::process::Command;

/// The program, built for this case.
pub struct Probe(PathBuf);

impl Probe {
    /// Builds it, and lays out what its request names.
    pub fn new() -> Self {
        request();
        let built = PathBuf::from("/run/probe");
        if built.exists() {
            return Self(built);
        }
        Self(compile(C, "probe.c", Link::Archive))
    }

    /// A command for one launch, by a door, with changes.
    pub fn command(&self, door: &str, changes: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.arg(door).args(changes);
        command
    }

    /// The program's file.
    pub fn path(&self) -> &std::path::Path {
        &self.0
    }

    /// Launches and gives the line that tells how it went: `err_no stage errno index text`, or `0 status`.
    pub fn says(&self, door: &str, changes: &[&str]) -> String {
        expect_success(&mut self.command(door, changes))
            .trim_end()
            .to_owned()
    }
}

/// What a failure should say.
#[derive(Debug)]
pub struct Failed {
    pub err_no: i32,
    pub stage: i32,
    pub errno: i32,
    pub index: i32,
    pub text: &'static str,
}

impl Failed {
    fn line(&self) -> String {
        let Self {
            err_no,
            stage,
            errno,
            index,
            text,
        } = self;
        format!("{err_no} {stage} {errno} {index} {text}")
    }
}

/// `err_no stage errno text`, the index being none.
pub fn failed(err_no: i32, stage: i32, errno: i32, text: &'static str) -> Failed {
    Failed {
        err_no,
        stage,
        errno,
        index: -1,
        text,
    }
}

/// Without a master: these changes make a launch by these doors fail like this.
pub fn fails_alone(doors: &[&str], changes: &[&str], expected: &Failed) {
    let probe = Probe::new();
    for door in doors {
        assert_eq!(
            probe.says(door, changes),
            expected.line(),
            "{door} {changes:?}"
        );
    }
}

/// With a master. The next launch without the changes succeeds.
pub fn fails(doors: &[&str], changes: &[&str], expected: &Failed) {
    let _master = Master::start();
    fails_alone(doors, changes, expected);
    let probe = Probe::new();
    for door in doors {
        assert_eq!(probe.says(door, &[]), "0 0", "{door} after {changes:?}");
    }
}

pub const ENTER: &[&str] = &["enter", "callback"];
pub const PROGRAM: &[&str] = &["program"];
pub const ALL: &[&str] = &["enter", "callback", "program"];
