//! `ROCKER_launch_program`: `program.c`.

use crate::compile::{C, Link, compile, run};
use rocker_testing::{Master, request};

/// Runs one case of the program; gives what it says before `ok`.
fn program(case: &str) -> String {
    let program = compile(C, "program.c", Link::Archive);
    let _master = Master::start();
    request();
    run(&program, [case])
        .strip_suffix("ok\n")
        .unwrap()
        .to_owned()
}

pub fn program_is_the_app_s_user_in_its_sandbox() {
    program("identity");
}

pub fn environment_is_what_was_given() {
    program("environment");
}

pub fn descriptors_are_kept_as_named() {
    program("kept_descriptors");
}

pub fn signals_are_the_defaults_and_the_mask_the_caller_s() {
    program("signals");
}

pub fn pidfds_can_be_polled_and_waited_for() {
    program("pidfds");
}

pub fn dumpable_flag_stays_as_it_was() {
    program("dumpable");
}

/// A smoke check of the promise that the host is not copied: a fork of 200 MB costs several times as much, each time. What a
/// busy machine adds it adds now and then.
pub fn cost_does_not_grow_with_the_host() {
    let ratios = (0..3).map(|_| program("cost").trim().parse::<f64>().unwrap());
    let least = ratios.min_by(f64::total_cmp).unwrap();
    assert!(least < 1.3, "{least}");
}
