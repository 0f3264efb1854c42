//! The first 96 bytes of a squashfs 4.0 package.

/// `hsqs`, read as a little-endian number.
pub(crate) const MAGIC: u32 = 0x7371_7368;

/// Bytes of the superblock; compressor options or data follow.
pub(crate) const SUPERBLOCK_SIZE: usize = 96;

/// The value of a table's position when there is no such table, and of a file without a fragment.
pub(crate) const NO_TABLE: u64 = u64::MAX;

/// The flags of the superblock, with the kernel's names.
pub mod flag {
    /// Inodes are stored, not compressed.
    pub const UNCOMPRESSED_INODES: u16 = 0x0001;
    /// Data blocks are stored.
    pub const UNCOMPRESSED_DATA: u16 = 0x0002;
    /// Fragments are stored.
    pub const UNCOMPRESSED_FRAGMENTS: u16 = 0x0008;
    /// There are no fragments.
    pub const NO_FRAGMENTS: u16 = 0x0010;
    /// The tails of large files went into fragments too.
    pub const ALWAYS_FRAGMENTS: u16 = 0x0020;
    /// Files with the same content share it.
    pub const DUPLICATES: u16 = 0x0040;
    /// There is a table from inode number to inode, so file handles work.
    pub const EXPORTABLE: u16 = 0x0080;
    /// Extended attributes are stored.
    pub const UNCOMPRESSED_XATTRS: u16 = 0x0100;
    /// There are no extended attributes.
    pub const NO_XATTRS: u16 = 0x0200;
    /// Options of the compressor follow the superblock.
    pub const COMPRESSOR_OPTIONS: u16 = 0x0400;
    /// The table of ids is stored.
    pub const UNCOMPRESSED_IDS: u16 = 0x0800;
    /// Every flag with its name, in the order of the bits.
    pub const NAMES: [(u16, &str); 11] = [
        (UNCOMPRESSED_INODES, "uncompressed-inodes"),
        (UNCOMPRESSED_DATA, "uncompressed-data"),
        (UNCOMPRESSED_FRAGMENTS, "uncompressed-fragments"),
        (NO_FRAGMENTS, "no-fragments"),
        (ALWAYS_FRAGMENTS, "always-fragments"),
        (DUPLICATES, "duplicates"),
        (EXPORTABLE, "exportable"),
        (UNCOMPRESSED_XATTRS, "uncompressed-xattrs"),
        (NO_XATTRS, "no-xattrs"),
        (COMPRESSOR_OPTIONS, "compressor-options"),
        (UNCOMPRESSED_IDS, "uncompressed-ids"),
    ];
}

/// The superblock, field by field in the order of the disk. Table positions are bytes from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superblock {
    /// How many inodes.
    pub inodes: u32,
    /// When the package was made, in seconds since 1970.
    pub made: u32,
    /// Bytes per block.
    pub block_size: u32,
    /// How many fragments.
    pub fragments: u32,
    /// The number of the compression.
    pub compression: u16,
    /// Log2 of the block size; must agree with it.
    pub block_log: u16,
    /// See [`flag`].
    pub flags: u16,
    /// How many different uids and gids.
    pub ids: u16,
    /// Where the root's inode is.
    pub root_inode: u64,
    /// Bytes of the package without padding.
    pub bytes_used: u64,
    /// Where the table of ids is.
    pub id_table: u64,
    /// Where the table of extended attributes is, or all ones.
    pub xattr_table: u64,
    /// Where the inodes start.
    pub inode_table: u64,
    /// Where the directories start.
    pub directory_table: u64,
    /// Where the table of fragments is.
    pub fragment_table: u64,
    /// Where the table from inode number to inode is, or all ones.
    pub export_table: u64,
}

impl Superblock {
    /// The bytes that the kernel reads.
    pub fn encode(&self) -> [u8; SUPERBLOCK_SIZE] {
        let mut bytes = Vec::with_capacity(SUPERBLOCK_SIZE);
        for word in [
            MAGIC,
            self.inodes,
            self.made,
            self.block_size,
            self.fragments,
        ] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        for half in [self.compression, self.block_log, self.flags, self.ids, 4, 0] {
            bytes.extend_from_slice(&half.to_le_bytes());
        }
        let tables = [
            self.id_table,
            self.xattr_table,
            self.inode_table,
            self.directory_table,
        ];
        for long in [self.root_inode, self.bytes_used].into_iter().chain(tables) {
            bytes.extend_from_slice(&long.to_le_bytes());
        }
        bytes.extend_from_slice(&self.fragment_table.to_le_bytes());
        bytes.extend_from_slice(&self.export_table.to_le_bytes());
        let mut block = [0; SUPERBLOCK_SIZE];
        block.copy_from_slice(&bytes);
        block
    }

    /// Reads a superblock; having one proves magic, version and a block size that the kernel takes.
    /// It does not prove that the tables are where it says.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let Some(bytes) = bytes.get(..SUPERBLOCK_SIZE) else {
            return Err(format!(
                "{} bytes are too few for a superblock",
                bytes.len()
            ));
        };
        if word(bytes, 0) != MAGIC {
            return Err("not a squashfs package (wrong magic)".into());
        }
        let (major, minor) = (half(bytes, 28), half(bytes, 30));
        if (major, minor) != (4, 0) {
            return Err(format!(
                "squashfs {major}.{minor}, but Linux mounts 4.0 only"
            ));
        }
        let superblock = Self::fields(bytes);
        let size = superblock.block_size;
        let valid = size.is_power_of_two() && (4096..=1 << 20).contains(&size);
        if !valid || size.trailing_zeros() != u32::from(superblock.block_log) {
            return Err(format!(
                "block size {size} with log2 {} is invalid",
                superblock.block_log
            ));
        }
        Ok(superblock)
    }

    fn fields(bytes: &[u8]) -> Self {
        Self {
            inodes: word(bytes, 4),
            made: word(bytes, 8),
            block_size: word(bytes, 12),
            fragments: word(bytes, 16),
            compression: half(bytes, 20),
            block_log: half(bytes, 22),
            flags: half(bytes, 24),
            ids: half(bytes, 26),
            root_inode: long(bytes, 32),
            bytes_used: long(bytes, 40),
            id_table: long(bytes, 48),
            xattr_table: long(bytes, 56),
            inode_table: long(bytes, 64),
            directory_table: long(bytes, 72),
            fragment_table: long(bytes, 80),
            export_table: long(bytes, 88),
        }
    }

    /// Whether all of `flags` are set.
    pub fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }
}

/// The little-endian number at `at`; the callers have checked the length.
pub(crate) fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// As [`half`], four bytes.
pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from(half(bytes, at)) | u32::from(half(bytes, at + 2)) << 16
}

/// As [`half`], eight bytes.
pub(crate) fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Superblock {
        Superblock {
            inodes: 3,
            made: 1,
            block_size: 65536,
            block_log: 16,
            compression: 6,
            bytes_used: 4000,
            xattr_table: NO_TABLE,
            export_table: NO_TABLE,
            ..Superblock::default()
        }
    }

    #[test]
    fn decode_gives_back_what_encode_wrote() {
        assert_eq!(Superblock::decode(&sample().encode()), Ok(sample()));
    }

    #[test]
    fn decode_refuses_every_truncation() {
        let bytes = sample().encode();
        for end in 0..bytes.len() {
            assert!(Superblock::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
    }

    #[test]
    fn decode_refuses_foreign_versions_and_block_sizes() {
        for (at, value) in [(0, 0), (28, 3), (30, 1), (14, 0), (13, 1), (22, 15)] {
            let mut bytes = sample().encode();
            bytes[at] = value;
            assert!(Superblock::decode(&bytes).is_err(), "byte {at} = {value}");
        }
    }
}
