//! What a compiler makes of the headers.

use crate::compile::{C99, CXX98, INCLUDE, Language, expect_success, path_of};
use std::fs;

/// The probe is compiled and not run, so that `-m32` needs no 32-bit libc.
const NO_OUTPUT: &[&str] = &["-ffreestanding", "-fsyntax-only"];

pub fn headers_have_the_frozen_layout() {
    for language in [C99, CXX98] {
        probe(language, &[]).unwrap();
    }
}

/// The same for 32-bit pointers, if the compiler knows a 32-bit sibling of its target.
pub fn headers_have_the_frozen_layout_in_32_bits() {
    fs::write("/run/empty.c", "typedef int nothing;\n").unwrap();
    for language in [C99, CXX98] {
        let mut command = language.command();
        let known = command.args(["-m32", "-fsyntax-only", "/run/empty.c"]);
        if known.output().unwrap().status.success() {
            probe(language, &["-m32"]).unwrap();
        }
    }
}

pub fn probe_fails_where_a_number_differs() {
    for language in [C99, CXX98] {
        let errors = probe(language, &["-DOFF_BY=1"]).unwrap_err();
        for line in [
            "size_of_RockerRequest",
            "RockerResult_guard_pname",
            "same_sys",
        ] {
            assert!(errors.contains(line), "{line} passed: {errors}");
        }
    }
}

fn probe(language: Language, options: &[&str]) -> Result<(), String> {
    let mut command = language.command();
    command.args(NO_OUTPUT).args(options);
    let output = command.arg(path_of("abi_probe.c")).output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

pub fn each_header_compiles_alone() {
    for header in ["lib.h", "err_no.h", "rocker_ext.h"] {
        let source = format!("/run/{header}.c");
        // Twice: the guards against that must not share a name.
        fs::write(&source, format!("#include \"{header}\"\n").repeat(2)).unwrap();
        for language in [C99, CXX98] {
            expect_success(language.command().args(["-fsyntax-only", &source]));
        }
    }
}

/// `lib.h` is installed with `err_no.h` beside it, and needs nothing else.
pub fn lib_h_needs_err_no_h_alone() {
    fs::create_dir("/run/include").unwrap();
    for header in ["lib.h", "err_no.h"] {
        fs::copy(
            format!("{INCLUDE}/{header}"),
            format!("/run/include/{header}"),
        )
        .unwrap();
    }
    fs::write("/run/alone.c", "#include <lib.h>\nRockerResult result;\n").unwrap();
    let mut command = std::process::Command::new("cc");
    command.args([
        "-nostdinc",
        "-isystem",
        "/run/include",
        "-fsyntax-only",
        "/run/alone.c",
    ]);
    expect_success(&mut command);
}
