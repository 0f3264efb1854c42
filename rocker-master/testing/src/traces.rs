//! `Traces`: what a launch may not leave behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Mounts, loop devices, processes, this process's descriptors, and the names in the data directory, at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct Traces {
    mounts: BTreeSet<String>,
    loop_devices: BTreeSet<String>,
    processes: BTreeSet<u32>,
    descriptors: BTreeSet<String>,
    data: BTreeSet<String>,
}

impl Traces {
    /// Looks now. `data_dir` may be missing.
    pub fn now(data_dir: &Path) -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut data = BTreeSet::new();
        list(data_dir, &mut data);
        Self {
            mounts: mounts.lines().map(str::to_owned).collect(),
            loop_devices: loop_devices(),
            processes: names("/proc")
                .filter_map(|name| name.parse().ok())
                .collect(),
            descriptors: descriptors(),
            data,
        }
    }
}

fn names(dir: impl AsRef<Path>) -> impl Iterator<Item = String> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
}

/// Those whose backing file lies in this case's own `/run`: the kernel names the files of other mount namespaces without it.
fn loop_devices() -> BTreeSet<String> {
    names("/sys/block")
        .filter_map(|name| fs::read_to_string(format!("/sys/block/{name}/loop/backing_file")).ok())
        .filter(|file| file.starts_with("/run/"))
        .collect()
}

/// What this process's descriptors are; the one that lists them is left out.
fn descriptors() -> BTreeSet<String> {
    names("/proc/self/fd")
        .filter_map(|fd| Some((fs::read_link(format!("/proc/self/fd/{fd}")).ok()?, fd)))
        .map(|(target, fd)| format!("{fd} {}", target.display()))
        .filter(|line| !line.contains("/fd"))
        .collect()
}

fn list(dir: &Path, found: &mut BTreeSet<String>) {
    for name in names(dir) {
        let path = dir.join(name);
        found.insert(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            list(&path, found);
        }
    }
}

/// Tries until it holds; fails after `limit`. Gives how long it took.
pub fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        sleep(Duration::from_micros(200));
    }
    start.elapsed()
}
