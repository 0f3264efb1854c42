//! The kernel's numbers of calls, for every architecture, from the source of linux-raw-sys: it compiles those of one alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Numbers of calls by their names.
pub type Numbers = BTreeMap<String, u32>;

/// Those of an architecture, called as Rust calls it.
pub fn numbers(architecture: &str) -> &'static Numbers {
    static ALL: LazyLock<BTreeMap<&str, Numbers>> = LazyLock::new(|| {
        let source = source();
        let of = |name| (name, read(&source.join(name).join("general.rs")));
        ["aarch64", "arm", "riscv64", "x86_64"].map(of).into()
    });
    &ALL[architecture]
}

fn read(path: &Path) -> Numbers {
    let text = std::fs::read_to_string(path).unwrap();
    let numbers: Numbers = text.lines().filter_map(number).collect();
    assert!(numbers.len() > 300, "{}", path.display());
    numbers
}

fn number(line: &str) -> Option<(String, u32)> {
    let (name, rest) = line
        .strip_prefix("pub const __NR_")?
        .split_once(": u32 = ")?;
    let number = rest.strip_suffix(';')?.parse().ok()?;
    // arm has two that are no calls.
    (!name.contains("SYSCALL")).then(|| (name.to_owned(), number))
}

const PLATFORM: &str = match std::env::consts::ARCH.as_bytes() {
    b"aarch64" => "aarch64-unknown-linux-gnu",
    b"arm" => "armv7-unknown-linux-gnueabihf",
    b"riscv64" => "riscv64gc-unknown-linux-gnu",
    _ => "x86_64-unknown-linux-gnu",
};

/// Where cargo keeps it.
fn source() -> PathBuf {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
    cargo.args(["metadata", "--offline", "--locked", "--format-version=1"]);
    // What other platforms would need has never been fetched where nothing but this was built.
    cargo.args(["--filter-platform", PLATFORM]);
    cargo
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    let output = cargo.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let manifests = text.split("\"manifest_path\":\"").skip(1);
    let mut paths = manifests.map(|rest| PathBuf::from(rest.split('"').next().unwrap()));
    let manifest = paths.find(|path| {
        path.parent()
            .unwrap()
            .to_string_lossy()
            .contains("/linux-raw-sys-")
    });
    manifest
        .expect("linux-raw-sys")
        .parent()
        .unwrap()
        .join("src")
}

/// What `calls.txt` says of each call.
pub fn words() -> BTreeMap<&'static str, &'static str> {
    let mut words = BTreeMap::new();
    let mut word = "";
    for line in include_str!("../calls.txt").lines() {
        if let Some(heading) = line.strip_suffix(':') {
            word = heading;
        } else if !line.starts_with('#') {
            for name in line.split_whitespace() {
                assert_eq!(words.insert(name, word), None, "{name} is there twice");
            }
        }
    }
    words
}
