//! `rocker exec` in a sandbox that a test has launched.

use super::{outcome, rocker};
use rocker_client::guard_name;
use rocker_testing::Sandbox;
use std::process::Command;

/// The name of the guard, as `ps` has it.
pub fn guard_of(sandbox: &Sandbox) -> String {
    name_of(sandbox.guard_pid())
}

pub fn name_of(pid: i32) -> String {
    let name = guard_name(pid).unwrap();
    let text = name.split(|byte| *byte == 0).next().unwrap();
    String::from_utf8(text.to_vec()).unwrap()
}

pub fn exec(sandbox: &Sandbox, command: &[&str]) -> Command {
    let mut exec = rocker(&["exec", &guard_of(sandbox), "--"]);
    exec.args(command);
    exec
}

/// What a shell script prints there, which must succeed without a word on standard error.
pub fn script(sandbox: &Sandbox, text: &str) -> String {
    let (status, stdout, stderr) = outcome(&mut exec(sandbox, &["sh", "-c", text]));
    assert_eq!((status, stderr.as_str()), (0, ""), "{text}");
    stdout
}
