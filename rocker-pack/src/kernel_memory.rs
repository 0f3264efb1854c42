//! What a mounted package costs in kernel memory, beyond the page cache.
//!
//! The terms are the kernel's allocations at mount time, so they move with its configuration. Against
//! measurements on Linux 6.18 (gzip, lz4, xz, zstd with 128 KiB blocks: 420, 635, 539, 987 KiB) the
//! sum is at most 9 % off.

use crate::compression::Compression;

const KIB: u64 = 1 << 10;

/// Fragments kept decompressed: `CONFIG_SQUASHFS_FRAGMENT_CACHE_SIZE`, 3 unless changed.
const FRAGMENT_BLOCKS: u64 = 3;

/// Superblock, indexes, metadata cache; what is left of a mount with the smallest blocks.
const FIXED: u64 = 30 * KIB;

/// An erofs mount, whatever its options; most of it is the mount itself.
pub(crate) const EROFS: u64 = 66 * KIB;

/// An estimate in bytes for one mount of a squashfs package. A second mount of the same superblock
/// (a bind mount) does not pay it again.
pub(crate) fn squashfs(compression: Compression, block_size: u32) -> u64 {
    let block = u64::from(block_size);
    let window = block.max(8 * KIB);
    let workspace = match compression {
        // The state of inflate and its 32 KiB window; "none" says gzip, so the kernel sets it up too.
        Compression::Gzip | Compression::None => 42 * KIB,
        // One buffer each for input and output.
        Compression::Lz4 | Compression::Lzo => 2 * block,
        // The dictionary, and the probabilities.
        Compression::Xz => window + 28 * KIB,
        // The context, then input of up to a zstd block, then a window and a zstd block of output.
        Compression::Zstd => 160 * KIB + window + 2 * window.min(128 * KIB),
    };
    FIXED + FRAGMENT_BLOCKS * block + workspace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_near_what_was_measured() {
        let measured = [
            (Compression::Gzip, 128, 420),
            (Compression::Lz4, 128, 635),
            (Compression::Xz, 128, 539),
            (Compression::Zstd, 128, 987),
            (Compression::Lz4, 1024, 5200),
            (Compression::Gzip, 1024, 3200),
        ];
        for (compression, block_kib, measured_kib) in measured {
            let estimate = squashfs(compression, block_kib << 10) / KIB;
            let error = estimate.abs_diff(measured_kib) * 100 / measured_kib;
            assert!(
                error <= 9,
                "{compression} {block_kib}K: {estimate} against {measured_kib}"
            );
        }
    }
}
