//! Link arguments of the shared library. The number in its SONAME is that of the C interface, which is frozen.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for argument in [
        "-Wl,-soname,librocker_ffi.so.1",
        "-Wl,--build-id=none",
        "-Wl,--gc-sections",
        // It has a key for thread-specific data, of which a process has 1024: a host that loaded and unloaded it again and
        // again would run out of them. And a launch of another thread may be under way. So it stays.
        "-Wl,-z,nodelete",
    ] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}
