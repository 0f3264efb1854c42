//! The content of the files: blocks, holes, fragments, and what files share.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::blocks::{Block, BlockReader};
use crate::encoder::Encoding;
use crate::error::{Error, Result};
use crate::image::ImageFile;
use crate::observer::Observer;
use crate::pool::{Packed, Pool};
use crate::tree::FileStamp;

/// Set in a block's size when the block is stored.
pub(crate) const BLOCK_STORED: u32 = 1 << 24;

/// Where the content of one file is; files of the same content share one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) size: u64,
    /// The first block's first byte in the package; 0 if no block has bytes.
    pub(crate) start: u64,
    /// Bytes on the disk per block, with [`BLOCK_STORED`]; 0 is a hole.
    pub(crate) blocks: Vec<u32>,
    /// Which fragment holds the tail, and where in it.
    pub(crate) fragment: Option<(u32, u32)>,
    /// Bytes of the file in holes.
    pub(crate) holes: u64,
}

/// The position of a [`Content`] in [`Written::contents`].
pub(crate) type ContentIndex = usize;

/// A file as the writer wants to know it.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) stamp: FileStamp,
    /// Whether another file has the same size, so that it pays to look for a twin.
    pub(crate) may_repeat: bool,
}

enum Tag {
    Block {
        content: ContentIndex,
        block: usize,
        input: u64,
    },
    Fragment {
        input: u64,
    },
}

/// Where a fragment is, and its size with [`BLOCK_STORED`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) start: u64,
    pub(crate) size: u32,
}

/// Writes the content of files to the package. The order of calls decides the bytes; the threads
/// that compress do not.
pub(crate) struct DataWriter<'a> {
    pool: Pool<Tag>,
    block_size: u32,
    image: &'a mut ImageFile,
    observer: &'a dyn Observer,
    contents: Vec<Content>,
    fragments: Vec<Fragment>,
    /// Fragments handed to the pool so far; the open one gets this number.
    fragment_number: u32,
    open_fragment: Vec<u8>,
    /// Contents by size and hash.
    known: HashMap<(u64, blake3::Hash), ContentIndex>,
    /// Files that share the content of an earlier one, and the bytes that saved.
    repeats: (u64, u64),
}

impl<'a> DataWriter<'a> {
    /// A writer that appends to `image`.
    pub(crate) fn new(
        encoding: Encoding,
        threads: Option<NonZeroUsize>,
        image: &'a mut ImageFile,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        Ok(Self {
            pool: Pool::new(encoding, threads)?,
            block_size: encoding.block_size,
            image,
            observer,
            contents: Vec::new(),
            fragments: Vec::new(),
            fragment_number: 0,
            open_fragment: Vec::with_capacity(encoding.block_size as usize),
            known: HashMap::new(),
            repeats: (0, 0),
        })
    }

    /// Packs one file, or finds that its content is in the package already.
    pub(crate) fn add(&mut self, source: Source) -> Result<ContentIndex> {
        let size = source.stamp.size;
        let key = match source.may_repeat {
            true => Some((size, self.hash(&source)?)),
            false => None,
        };
        if let Some(&twin) = key.and_then(|key| self.known.get(&key)) {
            self.repeats = (self.repeats.0 + 1, self.repeats.1 + size);
            self.observer.advance(size);
            return Ok(twin);
        }
        let content = self.contents.len();
        self.contents.push(Content {
            size,
            ..Content::default()
        });
        self.blocks(content, &source)?;
        if let Some(key) = key {
            self.known.insert(key, content);
        }
        Ok(content)
    }

    /// A strong hash: files are taken for equal without comparing them byte by byte. A file that
    /// changes between this reading and the next is noticed by its stamp.
    fn hash(&self, source: &Source) -> Result<blake3::Hash> {
        let mut reader = BlockReader::open(source.path.clone(), source.stamp, self.block_size)?;
        let mut hasher = blake3::Hasher::new();
        while let Some(block) = reader.next()? {
            self.check_cancelled()?;
            // Within a size the block boundaries are the same, so a marker per block is unambiguous.
            match block {
                Block::Hole(_) => hasher.update(&[0]),
                Block::Data(bytes) => hasher.update(&[1]).update(&bytes),
            };
        }
        Ok(hasher.finalize())
    }

    fn blocks(&mut self, content: ContentIndex, source: &Source) -> Result<()> {
        let mut reader = BlockReader::open(source.path.clone(), source.stamp, self.block_size)?;
        while let Some(block) = reader.next()? {
            self.check_cancelled()?;
            match block {
                Block::Hole(length) => {
                    self.contents[content].blocks.push(0);
                    self.contents[content].holes += length;
                    self.observer.advance(length);
                }
                Block::Data(bytes) if (bytes.len() as u64) < u64::from(self.block_size) => {
                    self.tail(content, &bytes)?;
                }
                Block::Data(bytes) => {
                    let block = self.contents[content].blocks.len();
                    self.contents[content].blocks.push(0); // known when it has been compressed
                    let input = bytes.len() as u64;
                    self.submit(
                        Tag::Block {
                            content,
                            block,
                            input,
                        },
                        bytes,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Puts the end of a file, or a whole small one, into the open fragment.
    fn tail(&mut self, content: ContentIndex, bytes: &[u8]) -> Result<()> {
        if self.open_fragment.len() + bytes.len() > self.block_size as usize {
            self.close_fragment()?;
        }
        // At most one block, so the offset fits.
        let offset = self.open_fragment.len() as u32;
        self.contents[content].fragment = Some((self.fragment_number, offset));
        self.open_fragment.extend_from_slice(bytes);
        Ok(())
    }

    fn close_fragment(&mut self) -> Result<()> {
        let empty = Vec::with_capacity(self.block_size as usize);
        let bytes = std::mem::replace(&mut self.open_fragment, empty);
        self.fragment_number = self
            .fragment_number
            .checked_add(1)
            .ok_or_else(too_many_fragments)?;
        self.submit(
            Tag::Fragment {
                input: bytes.len() as u64,
            },
            bytes,
        )
    }

    fn submit(&mut self, tag: Tag, bytes: Vec<u8>) -> Result<()> {
        while self.pool.is_full() {
            self.write_oldest()?;
        }
        self.pool.submit(tag, bytes)
    }

    /// Writes the oldest block that is on its way; whether there was one.
    fn write_oldest(&mut self) -> Result<bool> {
        let Some((tag, Packed { bytes, stored })) = self.pool.take()? else {
            return Ok(false);
        };
        let start = self.image.position();
        self.image.append(&bytes)?;
        let size = bytes.len() as u32 | if stored { BLOCK_STORED } else { 0 };
        let input = match tag {
            Tag::Fragment { input } => {
                self.fragments.push(Fragment { start, size });
                input
            }
            Tag::Block {
                content,
                block,
                input,
            } => {
                let content = &mut self.contents[content];
                if content.start == 0 {
                    content.start = start; // never 0 itself: the superblock is there
                }
                content.blocks[block] = size;
                input
            }
        };
        self.observer.advance(input);
        Ok(true)
    }

    /// Writes what is still on its way.
    pub(crate) fn finish(mut self) -> Result<Written> {
        if !self.open_fragment.is_empty() {
            self.close_fragment()?;
        }
        while self.write_oldest()? {
            self.check_cancelled()?;
        }
        Ok(Written {
            contents: self.contents,
            fragments: self.fragments,
            repeats: self.repeats,
        })
    }

    fn check_cancelled(&self) -> Result<()> {
        if self.observer.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}

/// What the metadata needs to know of the content.
pub(crate) struct Written {
    pub(crate) contents: Vec<Content>,
    pub(crate) fragments: Vec<Fragment>,
    /// Files that share the content of an earlier one, and their bytes.
    pub(crate) repeats: (u64, u64),
}

fn too_many_fragments() -> Error {
    Error::Limit("more than 2^32 fragments".into())
}
