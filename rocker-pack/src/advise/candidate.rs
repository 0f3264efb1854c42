//! What is tried: a format, its compression, its block size.

use std::fmt;

use crate::compression::Compression;

/// One way of packing a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// squashfs, written by this crate.
    Squashfs {
        /// How blocks are compressed, at the default level.
        compression: Compression,
        /// Bytes per block.
        block_size: u32,
    },
    /// erofs, written by `mkfs.erofs`.
    Erofs {
        /// Its compressor; none stores the files as they are.
        compressor: Option<&'static str>,
        /// The most bytes that are compressed into one cluster.
        cluster_size: u32,
    },
}

const KIB: u32 = 1 << 10;

/// Block sizes in KiB. zstd has the whole range, as it is what most will take; the others have what tells where they
/// stand: small blocks for lz4, whose use is to be quick and to take little memory, larger ones where a compression
/// needs them to be good. Each further row costs a build and some seconds of reading.
const SQUASHFS: [(Compression, &[u32]); 6] = [
    (Compression::Zstd, &[16, 32, 64, 128, 256, 1024]),
    (Compression::Xz, &[64, 256]),
    (Compression::Gzip, &[64, 128]),
    (Compression::Lzo, &[64]),
    (Compression::Lz4, &[4, 16, 64, 128]),
    (Compression::None, &[64]),
];

/// Cluster sizes in KiB.
const EROFS: [(Option<&str>, &[u32]); 3] =
    [(Some("zstd"), &[64]), (Some("lz4hc"), &[64]), (None, &[4])];

/// Everything that is tried; of erofs, what can be written here.
pub(crate) fn candidates(can_write: impl Fn(Candidate) -> bool) -> Vec<Candidate> {
    let squashfs = SQUASHFS.iter().flat_map(|&(compression, sizes)| {
        sizes.iter().map(move |size| Candidate::Squashfs {
            compression,
            block_size: size * KIB,
        })
    });
    let erofs = EROFS.iter().flat_map(|&(compressor, sizes)| {
        sizes.iter().map(move |size| Candidate::Erofs {
            compressor,
            cluster_size: size * KIB,
        })
    });
    squashfs
        .chain(erofs.filter(|candidate| can_write(*candidate)))
        .collect()
}

impl Candidate {
    /// The file system that mounts it.
    pub(crate) fn file_system(self) -> &'static str {
        match self {
            Self::Squashfs { .. } => "squashfs",
            Self::Erofs { .. } => "erofs",
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, size) = match *self {
            Self::Squashfs {
                compression,
                block_size,
            } => (compression.name().to_string(), block_size),
            Self::Erofs {
                compressor: None, ..
            } => return f.pad("erofs none"),
            Self::Erofs {
                compressor: Some(compressor),
                cluster_size,
            } => (format!("erofs {compressor}"), cluster_size),
        };
        let size = match size >> 10 {
            1024.. => format!("{}M", size >> 20),
            kib => format!("{kib}K"),
        };
        f.pad(&format!("{name} {size}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_mkfs_erofs_only_squashfs_is_tried() {
        let all = candidates(|_| false);
        assert!(all.iter().all(|one| one.file_system() == "squashfs"));
        for compression in ["gzip", "xz", "lzo", "lz4", "zstd", "none"] {
            assert!(
                all.iter()
                    .any(|one| one.to_string().starts_with(compression))
            );
        }
    }
}
