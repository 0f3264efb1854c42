//! What a mounted package costs in kernel memory.

use crate::compression::Compression;

/// Blocks that the kernel holds per squashfs mount: three of fragments
/// (`CONFIG_SQUASHFS_FRAGMENT_CACHE_SIZE`).
const FRAGMENT_BLOCKS: u64 = 3;
