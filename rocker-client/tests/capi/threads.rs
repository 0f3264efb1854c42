//! An AppMaster with threads: `threads.c`.

use crate::compile::{C, Link, compile, run};
use rocker_testing::{Master, request};

fn threads(kind: &str) {
    let program = compile(C, "threads.c", Link::Archive);
    let _master = Master::start();
    request();
    assert_eq!(run(&program, [kind]), "ok\n");
}

pub fn apps_of_threads_have_no_descriptor_of_the_library() {
    threads("enter");
}

pub fn both_doors_may_be_used_at_once() {
    threads("mixed");
}
