//! What is left of a sandbox after its guard was killed, and how to wait for that.

use std::fs;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The loop device behind a package, as sysfs shows it while it is attached.
pub(crate) struct LoopDevice(Option<PathBuf>);

impl LoopDevice {
    /// Finds a device of this file; live sandboxes of one package have one each.
    pub(crate) fn of(package: &Path) -> Self {
        let name = package.display().to_string();
        let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
        let files = devices.map(|device| device.path().join("loop/backing_file"));
        Self(
            files
                .into_iter()
                .find(|file| fs::read_to_string(file).is_ok_and(|text| text.trim_end() == name)),
        )
    }

    /// Waits until the kernel has taken it back.
    pub(crate) fn wait_until_gone(&self) {
        let limit = Instant::now() + Duration::from_secs(10);
        while self.0.as_ref().is_some_and(|file| file.exists()) {
            assert!(Instant::now() < limit, "{:?} stays", self.0);
            std::thread::yield_now();
        }
    }
}

/// Waits until the process of a pidfd has ended.
pub(crate) fn wait_for_end(pidfd: RawFd) {
    let mut poll = libc::pollfd {
        fd: pidfd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one structure of ours.
    while unsafe { libc::poll(&raw mut poll, 1, -1) } < 1 {}
}

/// Waits until no loop device has this file behind it: the last of its sandboxes has gone.
pub fn wait_until_free(package: &Path) {
    LoopDevice::of(package).wait_until_gone();
}
