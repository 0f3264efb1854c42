//! Reads the metadata of a squashfs package that anybody may have made: nothing in it is trusted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::compression::Compression;
use crate::decoder::decode;
use crate::error::{Context, Error, Result};
use crate::metadata::{METADATA_SIZE, METADATA_STORED};
use crate::superblock::{Superblock, half, long, word};

/// Blocks kept decompressed; directories and inodes are read in runs, so few do.
const CACHE_BLOCKS: usize = 64;

/// A metadata block, and the byte of the package at which the next one starts.
type CachedBlock = (Rc<Vec<u8>>, u64);

/// An open package.
pub(crate) struct Reader {
    file: File,
    path: PathBuf,
    pub(crate) superblock: Superblock,
    compression: Compression,
    cache: RefCell<HashMap<u64, CachedBlock>>,
}

/// A position in metadata that moves as bytes are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    block: u64,
    offset: usize,
}

impl Reader {
    /// A reader for the package of this superblock.
    pub(crate) fn new(file: File, path: &Path, superblock: Superblock) -> Result<Self> {
        let Some(compression) = Compression::from_id(superblock.compression) else {
            let what = format!("compression {} is unknown", superblock.compression);
            return Err(Error::Corrupt {
                path: path.into(),
                what,
            });
        };
        let cache = RefCell::default();
        Ok(Self {
            file,
            path: path.into(),
            superblock,
            compression,
            cache,
        })
    }

    /// Where an inode reference leads.
    pub(crate) fn inode_cursor(&self, reference: u64) -> Cursor {
        cursor(
            self.superblock.inode_table,
            reference >> 16,
            reference as u16,
        )
    }

    /// Where a directory's listing is.
    pub(crate) fn directory_cursor(&self, block: u32, offset: u16) -> Cursor {
        cursor(self.superblock.directory_table, u64::from(block), offset)
    }

    /// The uids and gids, by position.
    pub(crate) fn ids(&self) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(usize::from(self.superblock.ids));
        let per_block = METADATA_SIZE / 4;
        for number in 0..usize::from(self.superblock.ids).div_ceil(per_block) {
            let mut entry = [0; 8];
            let at = self.superblock.id_table.saturating_add(number as u64 * 8);
            self.file
                .read_exact_at(&mut entry, at)
                .map_err(|_| self.corrupt("ids out of bounds"))?;
            let mut cursor = Cursor {
                block: long(&entry, 0),
                offset: 0,
            };
            let count = (usize::from(self.superblock.ids) - number * per_block).min(per_block);
            let bytes = self.read(&mut cursor, count * 4)?;
            ids.extend(bytes.chunks_exact(4).map(|id| word(id, 0)));
        }
        Ok(ids)
    }

    /// The next `length` bytes, from as many blocks as hold them.
    pub(crate) fn read(&self, cursor: &mut Cursor, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let (block, next) = self.block(cursor.block)?;
            let Some(rest) = block.get(cursor.offset..) else {
                return Err(self.corrupt("a reference beyond the end of a block"));
            };
            if rest.is_empty() {
                *cursor = Cursor {
                    block: next,
                    offset: 0,
                };
                continue;
            }
            let part = &rest[..rest.len().min(length - bytes.len())];
            bytes.extend_from_slice(part);
            cursor.offset += part.len();
        }
        Ok(bytes)
    }

    fn block(&self, at: u64) -> Result<CachedBlock> {
        if let Some(block) = self.cache.borrow().get(&at) {
            return Ok(block.clone());
        }
        let block = self.load(at)?;
        let mut cache = self.cache.borrow_mut();
        if cache.len() >= CACHE_BLOCKS {
            cache.clear();
        }
        cache.insert(at, block.clone());
        Ok(block)
    }

    fn load(&self, at: u64) -> Result<CachedBlock> {
        let outside = || self.corrupt(format!("metadata at byte {at} lies outside the package"));
        let mut header = [0; 2];
        self.file
            .read_exact_at(&mut header, at)
            .map_err(|_| outside())?;
        let length = usize::from(half(&header, 0) & !METADATA_STORED);
        if length == 0 || length > METADATA_SIZE {
            return Err(self.corrupt(format!("a metadata block of {length} bytes at byte {at}")));
        }
        let start = at.checked_add(2).ok_or_else(outside)?;
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(|_| outside())?;
        if half(&header, 0) & METADATA_STORED == 0 {
            bytes = decode(self.compression, &bytes, METADATA_SIZE)
                .map_err(|what| self.corrupt(format!("metadata at byte {at}: {what}")))?;
        }
        if bytes.is_empty() {
            return Err(self.corrupt(format!("an empty metadata block at byte {at}")));
        }
        Ok((Rc::new(bytes), start + length as u64))
    }

    /// An error about this package.
    pub(crate) fn corrupt(&self, what: impl Into<String>) -> Error {
        Error::Corrupt {
            path: self.path.clone(),
            what: what.into(),
        }
    }
}

fn cursor(table: u64, block: u64, offset: u16) -> Cursor {
    Cursor {
        block: table.saturating_add(block),
        offset: usize::from(offset),
    }
}

/// Opens a package and gives what its first bytes say, and how long it is.
pub(crate) fn open(path: &Path) -> Result<(File, Vec<u8>, u64)> {
    let file = File::open(path).context("open", path)?;
    let metadata = file.metadata().context("stat", path)?;
    if metadata.is_dir() {
        return Err(Error::Refused {
            path: path.into(),
            reason: "is a directory".into(),
        });
    }
    let mut head = vec![0; 4096];
    let length = file.read_at(&mut head, 0).context("read", path)?;
    head.truncate(length);
    Ok((file, head, metadata.len()))
}
