//! The superblock of an erofs package: recognised and described, not written.

use crate::superblock::{half, long, word};

const MAGIC: u32 = 0xe0f5_e1e2;

/// Where the superblock is; the first KiB is left to boot loaders.
pub(crate) const SUPERBLOCK_START: usize = 1024;

const SUPERBLOCK_SIZE: usize = 128;

/// Set when a table of compressions follows, so that their field is a set of bits.
const HAS_COMPRESSIONS: u32 = 0x2;

const ZERO_PADDING: u32 = 0x1;

/// Bits of the field of compressions.
const COMPRESSIONS: [&str; 4] = ["lz4", "lzma", "deflate", "zstd"];

/// Incompatible features worth a word; the same bit covers fragments and deduplication.
const FEATURES: [(u32, &str); 6] = [
    (0x4, "chunked-files"),
    (0x8, "big-clusters"),
    (0x10, "tail-packing"),
    (0x20, "fragments/dedupe"),
    (0x40, "xattr-prefixes"),
    (0x80, "48-bit"),
];

/// What an erofs superblock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erofs {
    /// Bytes per block.
    pub block_size: u64,
    /// How many inodes.
    pub inodes: u64,
    /// When the package was made, in seconds since 1970.
    pub made: u64,
    /// Bytes of the package.
    pub bytes_used: u64,
    /// The compressions in use; none if files are stored.
    pub compressions: Vec<&'static str>,
    /// Features that a kernel must know, by name.
    pub features: Vec<&'static str>,
}

/// Whether these first bytes of a file have erofs's magic.
pub(crate) fn is_erofs(bytes: &[u8]) -> bool {
    bytes.len() >= SUPERBLOCK_START + 4 && word(bytes, SUPERBLOCK_START) == MAGIC
}

impl Erofs {
    /// Reads the superblock from the first bytes of a package; see [`crate::Superblock::decode`].
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        if !is_erofs(bytes) {
            return Err("not an erofs package (wrong magic)".into());
        }
        let Some(block) = bytes.get(SUPERBLOCK_START..SUPERBLOCK_START + SUPERBLOCK_SIZE) else {
            return Err(format!(
                "{} bytes are too few for a superblock",
                bytes.len()
            ));
        };
        let log = block[12];
        if !(9..=16).contains(&log) {
            return Err(format!("a block size of 2^{log} is invalid"));
        }
        let features = word(block, 80);
        Ok(Self {
            block_size: 1 << log,
            inodes: long(block, 16),
            made: long(block, 24),
            bytes_used: u64::from(word(block, 36)) << log,
            compressions: compressions(features, half(block, 84)),
            features: pick(
                FEATURES
                    .iter()
                    .map(|&(bit, name)| (features & bit != 0, name)),
            ),
        })
    }
}

fn compressions(features: u32, mask: u16) -> Vec<&'static str> {
    if features & HAS_COMPRESSIONS != 0 {
        return pick(
            COMPRESSIONS
                .iter()
                .zip(0..)
                .map(|(&name, bit)| (mask & 1 << bit != 0, name)),
        );
    }
    // Before there was a choice, padding in front meant lz4.
    if features & ZERO_PADDING != 0 {
        vec!["lz4"]
    } else {
        vec![]
    }
}

fn pick(names: impl Iterator<Item = (bool, &'static str)>) -> Vec<&'static str> {
    names
        .filter_map(|(set, name)| set.then_some(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut bytes = vec![0; SUPERBLOCK_START + SUPERBLOCK_SIZE];
        bytes[1024..1028].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[1024 + 12] = 12;
        bytes[1024 + 16] = 7;
        bytes[1024 + 36] = 3;
        bytes[1024 + 80] = 0x22;
        bytes[1024 + 84] = 0b1001;
        bytes
    }

    #[test]
    fn decode_reads_what_the_disk_says() {
        let erofs = Erofs::decode(&sample()).unwrap();
        assert_eq!(
            (erofs.block_size, erofs.inodes, erofs.bytes_used),
            (4096, 7, 12288)
        );
        assert_eq!(erofs.compressions, ["lz4", "zstd"]);
        assert_eq!(erofs.features, ["fragments/dedupe"]);
    }

    #[test]
    fn decode_refuses_every_truncation() {
        let bytes = sample();
        for end in 0..bytes.len() {
            assert!(Erofs::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
    }
}
