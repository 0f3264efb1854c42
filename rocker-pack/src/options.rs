//! What to pack, and how.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::exclude::Exclude;

/// The smallest block that squashfs allows, in bytes.
pub const MIN_BLOCK_SIZE: u32 = 4 << 10;

/// The largest block that squashfs allows, in bytes.
pub const MAX_BLOCK_SIZE: u32 = 1 << 20;

/// 64 KiB, as `build --advise` recommends for ci/sample-tree.sh: of that, zstd saves 65.5, 66.6, 68.2, 69.6 and
/// 72.4 % with blocks of 16, 32, 64, 128 and 1024 KiB, and a mount takes 240, 384, 632, 1128 and 5585 KiB of kernel
/// memory. From 64 to 128 KiB half a megabyte buys 1.4 %.
pub const DEFAULT_BLOCK_SIZE: u32 = 64 << 10;

/// 1980-01-02 00:00 UTC, the time of everything unless asked otherwise. Not 0: zip-based tools
/// refuse dates before 1980, in any time zone.
pub const DEFAULT_TIME: u32 = 315_619_200;

/// Who owns the files of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Whoever owns them in the tree.
    Keep,
    /// This uid and gid own everything.
    Set {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
    },
}

/// Which modification times the files of the package carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Those of the tree, in whole seconds; the package itself is dated like its newest file.
    Keep,
    /// These seconds since 1970, for every file and the package itself.
    Set(u32),
}

/// Everything that `build` wants to know; start from [`Options::new`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory whose content becomes the root of the package.
    pub source: PathBuf,
    /// The package to write.
    pub output: PathBuf,
    /// How blocks are compressed.
    pub compression: Compression,
    /// How hard; `None` takes the compression's default.
    pub level: Option<i32>,
    /// Bytes per block: a power of two from 4 KiB to 1 MiB.
    pub block_size: u32,
    /// Glob patterns of what to leave out. Without a slash a pattern fits a name at any depth, with
    /// one it fits the path from the top of the tree. What lies below a match is left out as well.
    pub exclude: Vec<String>,
    /// Who owns the files.
    pub owner: Owner,
    /// When they were modified.
    pub time: Time,
    /// Whether extended attributes are kept.
    pub xattrs: bool,
    /// Whether an existing output is replaced.
    pub force: bool,
    /// Compressing threads; `None` takes one per processor. The bytes do not depend on it.
    pub threads: Option<NonZeroUsize>,
}

impl Options {
    /// The defaults: zstd, 64 KiB blocks, owners and xattrs kept, times set to [`DEFAULT_TIME`].
    pub fn new(source: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            output: output.into(),
            compression: Compression::Zstd,
            level: None,
            block_size: DEFAULT_BLOCK_SIZE,
            exclude: Vec::new(),
            owner: Owner::Keep,
            time: Time::Set(DEFAULT_TIME),
            xattrs: true,
            force: false,
            threads: None,
        }
    }

    /// The level that will be used.
    pub(crate) fn effective_level(&self) -> i32 {
        self.level
            .unwrap_or_else(|| self.compression.default_level())
    }

    /// Refuses options that contradict each other or the format.
    pub(crate) fn check(&self) -> Result<()> {
        let block = self.block_size;
        if !block.is_power_of_two() || !(MIN_BLOCK_SIZE..=MAX_BLOCK_SIZE).contains(&block) {
            return Err(Error::Options(format!(
                "block size {block} is not a power of two from 4K to 1M"
            )));
        }
        Exclude::new(&self.exclude)?;
        let Some(level) = self.level else {
            return Ok(());
        };
        match self.compression.levels() {
            Some(levels) if levels.contains(&level) => Ok(()),
            Some(levels) => Err(Error::Options(format!(
                "{} has the levels {} to {}, not {level}",
                self.compression,
                levels.start(),
                levels.end()
            ))),
            None => Err(Error::Options(format!(
                "{} has no levels",
                self.compression
            ))),
        }
    }
}
