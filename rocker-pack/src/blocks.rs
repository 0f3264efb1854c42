//! One source file, block by block.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::Errno;

use crate::error::{Context, Error, Result};
use crate::tree::FileStamp;

/// The content of one block.
pub(crate) enum Block {
    /// This many zeros, which need no bytes in the package.
    Hole(u64),
    /// At least one byte that is not zero.
    Data(Vec<u8>),
}

/// Reads a file of known size; the bytes beyond that size, if any, are not read.
pub(crate) struct BlockReader {
    file: File,
    path: PathBuf,
    stamp: FileStamp,
    block_size: u64,
    position: u64,
    /// Nothing but zeros before this byte; above `position` only while in a hole.
    data_from: u64,
    /// Whether the file system holds fewer bytes than the file has, so that it pays to ask for holes.
    sparse: bool,
}

impl BlockReader {
    /// Opens the file, and makes sure that it still is the one that was scanned.
    pub(crate) fn open(path: PathBuf, stamp: FileStamp, block_size: u32) -> Result<Self> {
        // A fifo put in the file's place must not block us, nor a symlink lead us elsewhere.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&path)
            .context("open", &path)?;
        let metadata = file.metadata().context("stat", &path)?;
        if !metadata.is_file() || FileStamp::of(&metadata) != stamp {
            return Err(Error::Changed { path });
        }
        let sparse = metadata.blocks().saturating_mul(512) < stamp.size;
        let block_size = u64::from(block_size);
        Ok(Self {
            file,
            path,
            stamp,
            block_size,
            position: 0,
            data_from: 0,
            sparse,
        })
    }

    /// The next block, or nothing at the end of a file that did not change while it was read.
    pub(crate) fn next(&mut self) -> Result<Option<Block>> {
        let left = self.stamp.size - self.position;
        if left == 0 {
            return self.check_unchanged().map(|()| None);
        }
        let length = left.min(self.block_size);
        self.find_data()?;
        let end = self.position + length;
        let block = if self.data_from >= end {
            Block::Hole(length)
        } else {
            self.read(length)?
        };
        self.position = end;
        Ok(Some(block))
    }

    fn read(&self, length: u64) -> Result<Block> {
        let mut bytes = vec![0; length as usize]; // at most one block
        match self.file.read_exact_at(&mut bytes, self.position) {
            Ok(()) if is_zero(&bytes) => Ok(Block::Hole(length)),
            Ok(()) => Ok(Block::Data(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Err(Error::Changed {
                path: self.path.clone(),
            }),
            Err(e) => Err(e).context("read", &self.path),
        }
    }

    /// Asks where the next data begins; terabytes of hole must not be read as zeros.
    fn find_data(&mut self) -> Result<()> {
        if !self.sparse || self.data_from > self.position {
            return Ok(());
        }
        self.data_from = match seek(&self.file, SeekFrom::Data(self.position)) {
            Ok(data) => data,
            Err(Errno::NXIO) => u64::MAX, // nothing but a hole up to the end
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                self.sparse = false;
                self.position
            }
            Err(errno) => return Err(errno).context("seek in", &self.path),
        };
        Ok(())
    }

    fn check_unchanged(&self) -> Result<()> {
        let metadata = self.file.metadata().context("stat", &self.path)?;
        match FileStamp::of(&metadata) == self.stamp {
            true => Ok(()),
            false => Err(Error::Changed {
                path: self.path.clone(),
            }),
        }
    }
}

/// Compared eight bytes at a time by the optimizer, and given up at the first chunk that differs.
fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(512)
        .all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}
