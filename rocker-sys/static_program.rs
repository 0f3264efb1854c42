//! The build script of the static programs, rocker-master and rocker: their link arguments. They are here and not in
//! RUSTFLAGS, which Buildroot and OpenWrt replace and which would reach build scripts too.

fn main() {
    println!("cargo:rerun-if-changed=../rocker-sys/static_program.rs");
    println!("cargo:rerun-if-changed=../rocker-sys/static.ld");
    if std::env::var_os("CARGO_FEATURE_FREESTANDING").is_none() {
        return;
    }
    if !is_native() {
        println!("cargo:rustc-link-arg-bins=-static");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../rocker-sys/static.ld");
    let to_linker = [
        &format!("-T{script}"),
        "--build-id=none",
        "-znorelro",
        "-znoseparate-code",
        "--no-eh-frame-hdr",
        "--gc-sections",
    ];
    let tell = |argument: &str| println!("cargo:rustc-link-arg-bins={argument}");
    if linker_is_called_directly() {
        ["-static", "-no-pie"].into_iter().for_each(tell);
        to_linker.into_iter().for_each(tell);
    } else {
        ["-nostartfiles", "-nostdlib", "-static", "-no-pie"]
            .into_iter()
            .for_each(tell);
        for argument in to_linker {
            tell(&format!("-Wl,{argument}"));
        }
    }
}

/// Has rocker-sys an entry point and system calls of its own for the architecture? Elsewhere a C compiler links libc.
fn is_native() -> bool {
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    ["x86_64", "aarch64", "arm", "riscv64"].contains(&architecture.as_str())
}

/// Not by way of a C compiler, which wants its linker's arguments marked? Foreign targets need no C compiler for these
/// programs: Rust brings a linker along (`ci/cross/build`).
fn linker_is_called_directly() -> bool {
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    let linker = std::env::var("RUSTC_LINKER").unwrap_or_default();
    let name = linker.rsplit('/').next().unwrap_or_default();
    name.ends_with("lld") || name == "ld" || name.ends_with("-ld")
}
