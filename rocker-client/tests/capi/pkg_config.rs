//! `rocker.pc`: what a build system asks for.

use crate::compile::{C, INCLUDE, expect_success, path_of, run, skip};
use rocker_testing::{Master, binary, request};
use std::fs;
use std::path::Path;
use std::process::Command;

const TEMPLATE: &str = include_str!("../../../rocker-ffi/rocker.pc.in");

/// Lays everything out below `/run/prefix`, as `make install` does.
fn install() {
    for dir in ["lib/pkgconfig", "include"] {
        fs::create_dir_all(Path::new("/run/prefix").join(dir)).unwrap();
    }
    for header in ["lib.h", "err_no.h", "rocker_ext.h"] {
        fs::copy(
            format!("{INCLUDE}/{header}"),
            format!("/run/prefix/include/{header}"),
        )
        .unwrap();
    }
    fs::copy(binary("librocker_ffi.a"), "/run/prefix/lib/librocker_ffi.a").unwrap();
    fs::copy(
        binary("librocker_ffi.so"),
        "/run/prefix/lib/librocker_ffi.so.1",
    )
    .unwrap();
    std::os::unix::fs::symlink("librocker_ffi.so.1", "/run/prefix/lib/librocker_ffi.so").unwrap();
    let filled = TEMPLATE.replace("@prefix@", "/run/prefix");
    assert!(!filled.contains('@'), "{filled}");
    fs::write("/run/prefix/lib/pkgconfig/rocker.pc", filled).unwrap();
}

fn pkg_config(options: &[&str]) -> Option<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", "/run/prefix/lib/pkgconfig");
    if command.arg("--version").output().is_err() {
        skip("pkg-config");
        return None;
    }
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", "/run/prefix/lib/pkgconfig");
    Some(expect_success(command.args(options).arg("rocker")))
}

/// Builds the smoke program with nothing but these flags, and runs it.
fn builds_with(options: &[&str], linker: &[&str]) {
    install();
    let Some(flags) = pkg_config(options) else {
        return;
    };
    let mut command = Command::new(C.program());
    command.arg(path_of("smoke.c")).args(linker);
    command.args(flags.split_whitespace());
    command.args(["-o", "/run/smoke"]).env("TMPDIR", "/run");
    expect_success(&mut command);
    let _master = Master::start();
    request();
    assert_eq!(run(Path::new("/run/smoke"), [""; 0]), "7\n");
}

pub fn shared_program_builds_with_its_flags() {
    builds_with(&["--cflags", "--libs"], &["-Wl,-rpath,/run/prefix/lib"]);
}

pub fn static_program_builds_with_its_flags() {
    builds_with(&["--static", "--cflags", "--libs"], &["-static"]);
}

pub fn version_is_the_workspace_s() {
    install();
    if let Some(version) = pkg_config(&["--modversion"]) {
        assert_eq!(version.trim(), env!("CARGO_PKG_VERSION"));
    }
}
