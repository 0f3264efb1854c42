//! Apps as children of their AppMaster: `life.c`.

use crate::compile::{C, Link, compile, expect_success, run};
use rocker_testing::{Master, request};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Runs these cases of the program, one after the other, with one master.
fn life(cases: &[(&str, &str, &str)]) {
    let program = compile(C, "life.c", Link::Shared);
    let _master = Master::start();
    request();
    for (case, number, output) in cases {
        assert_eq!(run(&program, [case, number]), *output, "{case} {number}");
    }
}

/// With it comes one SIGCHLD that names the App.
pub fn result_of_the_callback_is_the_exit_status() {
    life(&[
        ("status", "0", "0\n"),
        ("status", "7", "7\n"),
        ("status", "255", "255\n"),
        ("status", "256", "0\n"),
        ("status", "-1", "255\n"),
    ]);
}

pub fn death_by_a_signal_is_told_as_such() {
    life(&[
        ("death", "9", "137\n"),
        ("death", "11", "139\n"),
        ("death", "15", "143\n"),
    ]);
}

pub fn app_master_that_ignores_its_children_can_launch() {
    life(&[("unheard", "0", "unheard\n")]);
}

pub fn signals_every_100_us_change_nothing() {
    life(&[("storm", "5", "storm\n")]);
}

pub fn buffers_and_exit_handlers_stay_the_host_s() {
    life(&[("buffers", "0", "buffered\nafter\natexit\n")]);
}

pub fn many_launches_leave_the_host_as_it_was() {
    life(&[("unchanged", "0", "unchanged\n")]);
}

pub fn guard_name_is_read_back_until_the_guard_ends() {
    life(&[("guard_name", "0", "guard_name\n")]);
}

pub fn any_name_of_a_process_is_read_whole() {
    life(&[("any_name", "0", "any_name\n")]);
}

pub fn nobody_has_no_name() {
    life(&[("no_name", "0", "no_name\n")]);
}

/// A set-uid copy that another user starts does not let that user choose its master.
pub fn environment_of_a_set_uid_program_is_not_looked_at() {
    let program = compile(C, "smoke.c", Link::Archive);
    let _master = Master::start();
    request();
    let with_variable = |uid: u32| {
        let mut command = Command::new(&program);
        command.env("ROCKER_SOCKET", "/run/nowhere").uid(uid);
        command
    };
    // The control: the variable counts where nobody gains anything.
    let output = with_variable(0).output().unwrap();
    assert_eq!(output.stdout, b"err_no 5\n");
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
    assert_eq!(expect_success(&mut with_variable(1000)), "7\n");
}
