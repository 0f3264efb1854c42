//! The smallest squashfs that a kernel mounts, to ask it which compressions it knows.

use rocker_sys::{Fd, Result, fs};

/// Bytes of the image that mean something; the file is padded to a page, since a loop device counts whole sectors.
const USED: usize = 144;

/// An image with an empty root directory and nothing compressed, that says it is compressed with `compression`
/// (`SQUASHFS_*_COMPRESSION` of `fs/squashfs/squashfs_fs.h`). A kernel without it refuses the mount.
pub(crate) fn squashfs(compression: u16) -> Result<Fd> {
    let mut image = [0u8; 4096];
    let mut put = |at: usize, bytes: &[u8]| {
        for (slot, byte) in image.iter_mut().skip(at).zip(bytes) {
            *slot = *byte;
        }
    };
    put(0, b"hsqs");
    put(4, &1u32.to_le_bytes()); // inodes
    // The block size, and its logarithm below: squashfs takes none that is smaller than a page.
    put(12, &65536u32.to_le_bytes());
    put(20, &compression.to_le_bytes());
    put(22, &16u16.to_le_bytes());
    put(26, &1u16.to_le_bytes()); // ids
    put(28, &4u16.to_le_bytes()); // version 4.0
    put(40, &(USED as u64).to_le_bytes());
    put(48, &136u64.to_le_bytes()); // where the index of the id table starts
    put(56, &u64::MAX.to_le_bytes()); // no xattrs
    put(64, &96u64.to_le_bytes()); // inode table
    put(72, &130u64.to_le_bytes()); // directory table: empty, and so where the ids start
    put(80, &u64::MAX.to_le_bytes()); // no fragments
    put(88, &u64::MAX.to_le_bytes()); // no export table
    // The root: a directory (type 1) of mode 0755 with two links, whose listing is empty (3 stands for nothing).
    put(96, &(0x8000u16 | 32).to_le_bytes());
    put(98, &1u16.to_le_bytes());
    put(100, &0o755u16.to_le_bytes());
    put(110, &1u32.to_le_bytes()); // inode number
    put(118, &2u32.to_le_bytes()); // links
    put(122, &3u16.to_le_bytes()); // size of the listing
    put(126, &2u32.to_le_bytes()); // the parent's inode number
    // The id table: uid 0, then where that block is.
    put(130, &(0x8000u16 | 4).to_le_bytes());
    put(136, &130u64.to_le_bytes());
    let file = fs::memfd_create(c"rocker-check")?;
    fs::write(file.raw(), &image)?;
    Ok(file)
}
