//! `Cgroup`: one of version 2, for everything that a run starts. Peers make theirs below it, whatever version the machine
//! otherwise uses, and what they leave there goes with it.

use std::fs;
use std::path::{Path, PathBuf};

/// A cgroup of the run's own.
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes it where the machine has version 2 mounted; `None` where it has not.
    pub(crate) fn make() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let mut lines = mounts.lines().map(|line| line.split(' '));
        let mount = lines.find_map(|mut words| {
            let dir = words.nth(1)?;
            (words.next()? == "cgroup2").then_some(dir)
        })?;
        let this = Self(Path::new(mount).join("rocker-bench"));
        // An earlier run that was killed may have left it.
        this.remove();
        fs::create_dir(&this.0).ok().map(|()| this)
    }

    /// Moves the calling process there.
    pub(crate) fn enter(&self) {
        fs::write(self.0.join("cgroup.procs"), "0").expect("a cgroup of our own");
    }

    /// Removes it, with all that is below it and has no process any more.
    pub(crate) fn remove(&self) {
        remove(&self.0);
    }
}

fn remove(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    // What does not go is still in use, or was never there.
    fs::remove_dir(dir).unwrap_or_default();
}
