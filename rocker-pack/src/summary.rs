//! What a build did.

use std::time::Duration;

use crate::tree::{Kind, Tree};
use crate::warnings::Warning;

/// The blocks that a tree is measured in, whatever file system it happens to lie on.
const DISK_BLOCK: u64 = 4096;

/// Figures of a finished build. Sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Regular files; a file of several names counts once.
    pub files: u64,
    /// Directories, with the root.
    pub directories: u64,
    /// Symlinks.
    pub symlinks: u64,
    /// Device nodes, fifos and sockets.
    pub specials: u64,
    /// Further names of files already counted.
    pub hard_links: u64,
    /// Names left out on request.
    pub excluded: u64,
    /// Files whose content another file has too; it is stored once.
    pub repeats: u64,
    /// The bytes of content in the files; one of several names counts once.
    pub apparent: u64,
    /// What the tree takes on a disk with blocks of 4 KiB: holes are free, directories take a block.
    pub on_disk: u64,
    /// The size of the package.
    pub package: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

impl Summary {
    /// Counts the tree; the caller adds what only the build knows.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut summary = Self::default();
        for inode in &tree.inodes {
            summary.hard_links += u64::from(inode.links) - 1;
            match &inode.kind {
                Kind::Directory(_) => {
                    summary.directories += 1;
                    summary.on_disk += DISK_BLOCK;
                }
                Kind::File(stamp) => {
                    summary.files += 1;
                    summary.apparent += stamp.size;
                    summary.on_disk += stamp.size.next_multiple_of(DISK_BLOCK);
                }
                Kind::Symlink(_) => summary.symlinks += 1,
                _ => summary.specials += 1,
            }
        }
        summary
    }

    /// How much smaller the package is than the tree on a disk, in percent.
    pub fn saved_percent(&self) -> f64 {
        match self.on_disk {
            0 => 0.0,
            on_disk => 100.0 - 100.0 * self.package as f64 / on_disk as f64,
        }
    }
}
