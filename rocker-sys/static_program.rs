//! The build script of the static programs, rocker-master and rocker: their link arguments. They are here and not in
//! RUSTFLAGS, which Buildroot and OpenWrt replace and which would reach build scripts too.

fn main() {
    println!("cargo:rerun-if-changed=../rocker-sys/static_program.rs");
    println!("cargo:rerun-if-changed=../rocker-sys/static.ld");
    if std::env::var_os("CARGO_FEATURE_FREESTANDING").is_none() {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../rocker-sys/static.ld");
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{script}");
    for argument in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        "-Wl,-znorelro",
        "-Wl,-znoseparate-code",
        "-Wl,--no-eh-frame-hdr",
        "-Wl,--gc-sections",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
