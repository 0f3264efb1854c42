//! Nothing in the page cache, and the proof of it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, OFlags, fadvise, major, minor};

/// `/sys/dev/block/N:M/stat` counts in these, whatever the device's own sectors.
const SECTOR: u64 = 512;

/// Forgets what the page cache holds of a file that has been written to the disk.
pub(crate) fn drop_cache(file: &File) -> Result<(), String> {
    fadvise(file, 0, None, Advice::DontNeed).map_err(|e| format!("posix_fadvise: {e}"))
}

/// The same for files by name. Their names and inodes stay in memory, which flatters the tree that they belong to.
pub(crate) fn drop_caches(root: &Path, files: &[PathBuf]) -> Result<(), String> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    for path in files {
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(flags).open(root.join(path));
        drop_cache(&file.map_err(|e| format!("{path:?}: {e}"))?)?;
    }
    Ok(())
}

/// Counts what is read from the block device below a file, by whomever.
pub(crate) struct Device {
    statistics: PathBuf,
}

impl Device {
    /// The device below this file; nothing for file systems that have none, or several.
    pub(crate) fn below(metadata: &fs::Metadata) -> Option<Self> {
        let device = metadata.dev();
        let statistics = format!("/sys/dev/block/{}:{}/stat", major(device), minor(device));
        let device = Self {
            statistics: statistics.into(),
        };
        device.bytes_read().map(|_| device)
    }

    /// Bytes read since the device is there.
    pub(crate) fn bytes_read(&self) -> Option<u64> {
        let text = fs::read_to_string(&self.statistics).ok()?; // a device without statistics
        let sectors: u64 = text.split_whitespace().nth(2)?.parse().ok()?; // a format unknown to us
        Some(sectors * SECTOR)
    }
}
