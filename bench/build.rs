//! Builds the floor program: C, because it has to be the least that a launch can be.
use std::path::Path;
use std::process::Command;

fn main() {
    let sources = ["floor/floor.c", "floor/sandbox.c"];
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    let program = Path::new(&out).join("floor");
    let compiler = cc::Build::new().opt_level(2).get_compiler();
    let mut command: Command = compiler.to_command();
    command.args(["-std=gnu11", "-Wall", "-Wextra", "-static", "-o"]);
    let status = command.arg(&program).args(sources).status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{command:?}: {status:?}"
    );
    println!("cargo:rustc-env=FLOOR={}", program.display());
    println!("cargo:rerun-if-changed=floor");
}
