//! `Traces`: what a launch may not leave behind.

use crate::patience;
use crate::process::{Spare, is_there};
use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Mounts, loop devices, processes, this process's descriptors, and the names in the data directory, at one moment. The
/// seats of sandboxes that ran at once stay in the data directory, as the layers do, and are left out; so is the one guard
/// that waits for the next launch.
#[derive(Debug, PartialEq, Eq)]
pub struct Traces {
    mounts: BTreeSet<String>,
    loop_devices: BTreeSet<String>,
    processes: BTreeSet<i32>,
    /// More guards that wait than one.
    useless_guards: usize,
    descriptors: BTreeSet<String>,
    data: BTreeSet<String>,
}

impl Traces {
    /// Looks now. `data_dir` may be missing. A guard that has been given up, because another one waits that knows more, has
    /// a moment to end.
    pub fn now(data_dir: &Path) -> Self {
        let start = Instant::now();
        loop {
            let traces = Self::at_once(data_dir);
            if traces.useless_guards == 0 || start.elapsed() > Duration::from_millis(500) {
                return traces;
            }
            sleep(Duration::from_millis(1));
        }
    }

    fn at_once(data_dir: &Path) -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut data = BTreeSet::new();
        list(data_dir, &mut data);
        let mut processes = BTreeSet::new();
        let mut spares = 0usize;
        for pid in names("/proc").filter_map(|name| name.parse().ok()) {
            match Spare::of(pid) {
                Some(spare) => spares += usize::from(!spare.is_over),
                // It may have gone since it was listed.
                None if is_there(pid) => drop(processes.insert(pid)),
                None => {}
            }
        }
        Self {
            mounts: mounts.lines().map(str::to_owned).collect(),
            loop_devices: loop_devices(),
            processes,
            useless_guards: spares.saturating_sub(1),
            descriptors: descriptors(),
            data,
        }
    }
}

impl Traces {
    /// The loop devices that hold files of this case.
    pub fn loop_devices(&self) -> usize {
        self.loop_devices.len()
    }

    /// Their names.
    pub fn loop_device_names(&self) -> Vec<String> {
        let first_word = |line: &String| line.split(' ').next().map(str::to_owned);
        self.loop_devices.iter().filter_map(first_word).collect()
    }

    /// The processes of this case.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }
}

fn names(dir: impl AsRef<Path>) -> impl Iterator<Item = String> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
}

/// Those whose backing file lies on this case's own `/run`. The kernel shows the path that the guard opened, which depends
/// on who looks, so the device and inode numbers tell (`LOOP_GET_STATUS64`).
fn loop_devices() -> BTreeSet<String> {
    let run = fs::metadata("/run").unwrap().dev();
    names("/sys/block")
        .filter(|name| fs::exists(format!("/sys/block/{name}/loop")).unwrap())
        .filter_map(|name| {
            let device = fs::File::open(format!("/dev/{name}")).ok()?;
            let mut info = [0u64; 29];
            // SAFETY: the kernel writes one struct loop_info64, which is 232 bytes.
            let done =
                unsafe { libc::ioctl(device.as_raw_fd(), LOOP_GET_STATUS64, info.as_mut_ptr()) };
            // Its first two fields are device and inode.
            (done == 0 && info[0] == run).then(|| format!("{name} inode {}", info[1]))
        })
        .collect()
}

/// `linux/loop.h`
const LOOP_GET_STATUS64: libc::Ioctl = 0x4c05;

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
        let is_seat_s = name.starts_with('+') || name.starts_with("work");
        if is_seat_s && dir.starts_with("/run/data/.rocker") {
            continue;
        }
        let path = dir.join(name);
        found.insert(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            list(&path, found);
        }
    }
}

/// Tries until it holds; fails after `limit`, times [`patience()`]. Gives how long it took.
pub fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let limit = limit * patience();
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        sleep(Duration::from_micros(200));
    }
    start.elapsed()
}
