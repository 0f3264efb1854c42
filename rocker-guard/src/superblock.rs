//! `Superblock`: what a package is, judged before the kernel parses it.
//!
//! The fields are those of `fs/squashfs/squashfs_fs.h` and `fs/erofs/erofs_fs.h`; the kernel checks them again, and more.

use rocker_sys::{Errno, Result};

/// How many bytes from the start of a package are needed to judge it.
pub(crate) const HEAD: usize = EROFS_OFFSET + EROFS_SIZE;

const SQUASHFS_MAGIC: u32 = 0x7371_7368;
const SQUASHFS_SIZE: usize = 96;
const EROFS_MAGIC: u32 = 0xe0f5_e1e2;
const EROFS_OFFSET: usize = 1024;
const EROFS_SIZE: usize = 128;

/// The file system in a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Squashfs,
    Erofs,
}

/// Recognises a package by its first [`HEAD`] bytes (or fewer, if the file is shorter) and its size; gives also how many
/// bytes it says that it has.
///
/// # Errors
/// `EMEDIUMTYPE`: neither format. `ENODATA`: the file is shorter than it says it is. `EOPNOTSUPP`: a version or
/// compression that no kernel mounts. `EINVAL`: the superblock contradicts itself.
#[inline(never)] // smaller by itself
pub(crate) fn recognise(head: &[u8], file_size: u64) -> Result<(Format, u64)> {
    if u32_at(head, 0) == Some(SQUASHFS_MAGIC) {
        return squashfs(head, file_size)
            .ok_or(Errno::ENODATA)?
            .map(|length| (Format::Squashfs, length));
    }
    if u32_at(head, EROFS_OFFSET) == Some(EROFS_MAGIC) {
        return erofs(head, file_size)
            .ok_or(Errno::ENODATA)?
            .map(|length| (Format::Erofs, length));
    }
    Err(Errno::EMEDIUMTYPE)
}

/// `None`: cut off.
fn squashfs(head: &[u8], file_size: u64) -> Option<Result<u64>> {
    // All at once: what follows needs no check of the length.
    let head: &[u8; SQUASHFS_SIZE] = head.first_chunk()?;
    let inodes = u32_at(head, 4)?;
    let block_size = u32_at(head, 12)?;
    let compression = u16_at(head, 20)?;
    let block_log = u16_at(head, 22)?;
    let ids = u16_at(head, 26)?;
    let version = (u16_at(head, 28)?, u16_at(head, 30)?);
    let bytes_used = u64_at(head, 40)?;
    let id_table = u64_at(head, 48)?;
    let inode_table = u64_at(head, 64)?;
    let directory_table = u64_at(head, 72)?;
    // gzip, lzo, xz, lz4, zstd; 2 is lzma, which the kernel never took.
    if version != (4, 0) || !matches!(compression, 1 | 3..=6) {
        return Some(Err(Errno::EOPNOTSUPP));
    }
    let blocks_fit =
        (12..=20).contains(&block_log) && 1u32.checked_shl(block_log.into()) == Some(block_size);
    let tables_fit = inode_table >= SQUASHFS_SIZE as u64
        && inode_table < directory_table
        && directory_table <= id_table
        && id_table < bytes_used;
    if inodes == 0 || ids == 0 || !blocks_fit || !tables_fit {
        return Some(Err(Errno::EINVAL));
    }
    (bytes_used <= file_size).then_some(Ok(bytes_used))
}

/// `None`: cut off.
fn erofs(head: &[u8], file_size: u64) -> Option<Result<u64>> {
    let head: &[u8; EROFS_SIZE] = head.get(EROFS_OFFSET..)?.first_chunk()?;
    let block_log = u32::from(*head.get(12)?);
    let blocks = u64::from(u32_at(head, 36)?);
    // The kernel takes blocks of 512 bytes up to its page size, 64 KiB at the most.
    if !(9..=16).contains(&block_log) || blocks == 0 {
        return Some(Err(Errno::EINVAL));
    }
    let bytes_used = blocks.checked_shl(block_log)?;
    (bytes_used <= file_size).then_some(Ok(bytes_used))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn good_squashfs() -> Vec<u8> {
        let mut sb = vec![0; 4096];
        put(&mut sb, 0, b"hsqs");
        put(&mut sb, 4, &3u32.to_le_bytes());
        put(&mut sb, 12, &65536u32.to_le_bytes());
        put(&mut sb, 20, &6u16.to_le_bytes());
        put(&mut sb, 22, &16u16.to_le_bytes());
        put(&mut sb, 26, &1u16.to_le_bytes());
        put(&mut sb, 28, &4u16.to_le_bytes());
        put(&mut sb, 40, &4000u64.to_le_bytes());
        put(&mut sb, 48, &3900u64.to_le_bytes());
        put(&mut sb, 64, &200u64.to_le_bytes());
        put(&mut sb, 72, &300u64.to_le_bytes());
        sb
    }

    fn good_erofs() -> Vec<u8> {
        let mut sb = vec![0; 8192];
        put(&mut sb, 1024, &EROFS_MAGIC.to_le_bytes());
        sb[1036] = 12;
        put(&mut sb, 1060, &2u32.to_le_bytes());
        sb
    }

    #[test]
    fn good_ones_are_recognised() {
        assert_eq!(
            recognise(&good_squashfs(), 4096),
            Ok((Format::Squashfs, 4000))
        );
        assert_eq!(recognise(&good_erofs(), 8192), Ok((Format::Erofs, 8192)));
        assert_eq!(recognise(&[0; HEAD], 9999), Err(Errno::EMEDIUMTYPE));
        assert_eq!(recognise(b"", 0), Err(Errno::EMEDIUMTYPE));
    }

    #[test]
    fn truncations_are_refused() {
        for len in 0..96 {
            assert!(
                recognise(&good_squashfs()[..len], len as u64).is_err(),
                "{len}"
            );
        }
        assert_eq!(recognise(&good_squashfs(), 3999), Err(Errno::ENODATA));
        for len in 0..HEAD {
            assert!(
                recognise(&good_erofs()[..len], len as u64).is_err(),
                "{len}"
            );
        }
        assert_eq!(recognise(&good_erofs(), 8191), Err(Errno::ENODATA));
    }

    #[test]
    fn contradictions_are_refused() {
        let with = |at: usize, value: &[u8]| {
            let mut sb = good_squashfs();
            put(&mut sb, at, value);
            recognise(&sb, 4096)
        };
        assert_eq!(with(4, &[0; 4]), Err(Errno::EINVAL), "no inodes");
        assert_eq!(
            with(12, &4095u32.to_le_bytes()),
            Err(Errno::EINVAL),
            "block size"
        );
        assert_eq!(
            with(22, &15u16.to_le_bytes()),
            Err(Errno::EINVAL),
            "block log"
        );
        assert_eq!(
            with(22, &40u16.to_le_bytes()),
            Err(Errno::EINVAL),
            "block log out of range"
        );
        assert_eq!(
            with(20, &2u16.to_le_bytes()),
            Err(Errno::EOPNOTSUPP),
            "lzma"
        );
        assert_eq!(
            with(20, &7u16.to_le_bytes()),
            Err(Errno::EOPNOTSUPP),
            "unknown compression"
        );
        assert_eq!(
            with(28, &3u16.to_le_bytes()),
            Err(Errno::EOPNOTSUPP),
            "version 3"
        );
        assert_eq!(
            with(72, &100u64.to_le_bytes()),
            Err(Errno::EINVAL),
            "tables out of order"
        );
        assert_eq!(
            with(40, &u64::MAX.to_le_bytes()),
            Err(Errno::ENODATA),
            "longer than the file"
        );
    }

    #[test]
    fn every_change_of_one_byte_is_survived() {
        for (sample, size) in [(good_squashfs(), 4096), (good_erofs(), 8192)] {
            for at in (0..96).chain(1024..HEAD) {
                for value in 0..=255 {
                    let mut sb = sample.clone();
                    sb[at] = value;
                    let _ = recognise(&sb, size); // any answer will do; a panic would not
                }
            }
        }
    }
}
