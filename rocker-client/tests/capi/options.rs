//! `RockerOptions`: `options.c`.

use crate::compile::{C, Link, compile, run};
use rocker_testing::{Master, request};

fn case(name: &str) {
    let program = compile(C, "options.c", Link::Archive);
    let _master = Master::start();
    request();
    assert_eq!(run(&program, [name]), "ok\n");
}

pub fn no_options_are_the_defaults() {
    case("defaults");
}

pub fn no_overlays_are_mounted_on_demand() {
    case("no_overlays");
}

pub fn later_fields_that_are_zero_are_passed_over() {
    case("later_fields");
}

pub fn changes_live_where_the_mode_says() {
    case("modes");
}

pub fn sizes_and_modes_that_make_no_sense_are_refused() {
    case("refusals");
}
