//! A program that knows `lib.h` and nothing else, linked in every way that there is.

use crate::compile::{C, C99, CXX, Language, Link, MUSL, compile, run, skip};
use rocker_testing::{Master, request};

/// Builds it, runs it, and expects its App's exit status.
fn smoke(language: Language, link: Link) {
    let program = compile(language, "smoke.c", link);
    let _master = Master::start();
    request();
    assert_eq!(run(&program, [""; 0]), "7\n");
}

pub fn c_program_with_the_archive() {
    smoke(C99, Link::Archive);
}

pub fn c_program_with_the_archive_and_a_static_libc() {
    smoke(C, Link::Static);
}

pub fn c_program_with_the_shared_library() {
    smoke(C, Link::Shared);
}

pub fn cxx_program_with_the_archive() {
    smoke(CXX, Link::Archive);
}

pub fn cxx_program_with_the_shared_library() {
    smoke(CXX, Link::Shared);
}

pub fn c_program_with_the_archive_and_musl() {
    match MUSL.exists() {
        true => smoke(MUSL, Link::Static),
        false => skip("musl-gcc"),
    }
}

pub fn request_new_is_empty() {
    let program = compile(C, "request_new.c", Link::Archive);
    assert_eq!(run(&program, [""; 0]), "-1 -1 -1 empty\n");
}

pub fn host_that_loads_and_unloads_it_loses_nothing() {
    let program = compile(C, "reload.c", Link::Plugin);
    assert_eq!(run(&program, [""; 0]), "ok\n");
}
