//! What is in flash: programs, and their libraries beyond libc.

use bench::peers::{PEERS, find};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn measure() {
    println!("| flash, stripped | programs | with libraries beyond libc |\n|---|---|---|");
    let ours = ["rocker-master", "rocker"].map(rocker_testing::binary);
    row("Rocker: rocker-master, rocker", &ours);
    for peer in PEERS {
        let files: Option<Vec<PathBuf>> = peer.programs.iter().map(|name| find(name)).collect();
        let names = peer.programs.join(", ");
        match files {
            Some(files) => row(&names, &files),
            None => println!("| {names} | not installed | |"),
        }
    }
    println!();
}

fn row(names: &str, programs: &[PathBuf]) {
    let size = |files: &BTreeSet<PathBuf>| -> f64 {
        let sizes = files.iter().map(|file| size_of(file));
        sizes.sum::<u64>() as f64 / 1024.0
    };
    let mut files: BTreeSet<PathBuf> = programs.iter().map(|file| real(file)).collect();
    let alone = size(&files);
    for program in programs {
        files.extend(libraries(program));
    }
    println!("| {names} | {alone:.0} KiB | {:.0} KiB |", size(&files));
}

fn size_of(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len())
}

fn real(file: &Path) -> PathBuf {
    file.canonicalize().unwrap_or_else(|_| file.to_owned())
}

/// What belongs to libc, whoever else is there.
const LIBC: [&str; 8] = [
    "ld-linux",
    "libc.",
    "libm.",
    "libpthread.",
    "libdl.",
    "librt.",
    "libresolv.",
    "libutil.",
];

/// What the loader of a dynamic program says; a static one has none.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output();
    let text = output.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let paths = text.lines().filter_map(|line| {
        let path = line.split("=> ").last()?.split_whitespace().next()?;
        path.starts_with('/').then(|| PathBuf::from(path))
    });
    let is_libc = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        LIBC.iter().any(|start| name.starts_with(start))
    };
    paths
        .filter(|path| !is_libc(path))
        .map(|path| real(&path))
        .collect()
}
