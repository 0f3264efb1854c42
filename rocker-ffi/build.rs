//! Link arguments of the shared library. The number in its SONAME is that of the C interface, which is frozen.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for argument in [
        "-Wl,-soname,librocker_ffi.so.1",
        "-Wl,--build-id=none",
        "-Wl,--gc-sections",
    ] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}
