//! Metadata: inodes, directories and tables, in compressed blocks of 8 KiB.

use crate::encoder::Encoder;
use crate::error::{Error, Result};

/// Bytes of a metadata block before compression.
pub(crate) const METADATA_SIZE: usize = 8192;

/// Set in a metadata block's two-byte header when the block is stored.
pub(crate) const METADATA_STORED: u16 = 0x8000;

/// A place in metadata: the block's first byte within its table, and the byte in the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) block: u32,
    pub(crate) offset: u16,
}

impl Place {
    /// The form that superblock and tables carry.
    pub(crate) fn reference(self) -> u64 {
        u64::from(self.block) << 16 | u64::from(self.offset)
    }
}

/// Collects bytes, and compresses them as blocks fill.
#[derive(Default)]
pub(crate) struct MetadataWriter {
    done: Vec<u8>,
    open: Vec<u8>,
    starts: Vec<u64>,
}

impl MetadataWriter {
    /// Where the next byte will be.
    pub(crate) fn place(&self) -> Result<Place> {
        let block = u32::try_from(self.done.len())
            .map_err(|_| Error::Limit("more than 4 GiB of metadata".into()))?;
        // `write` never leaves a full block open, so this fits 13 bits.
        Ok(Place {
            block,
            offset: self.open.len() as u16,
        })
    }

    /// Appends `bytes`, across as many blocks as they need.
    pub(crate) fn write(&mut self, mut bytes: &[u8], encoder: &mut Encoder) -> Result<()> {
        while !bytes.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(METADATA_SIZE - self.open.len()));
            self.open.extend_from_slice(head);
            bytes = tail;
            if self.open.len() == METADATA_SIZE {
                self.close_block(encoder)?;
            }
        }
        Ok(())
    }

    /// The finished blocks, and where each starts among them.
    pub(crate) fn finish(mut self, encoder: &mut Encoder) -> Result<(Vec<u8>, Vec<u64>)> {
        if !self.open.is_empty() {
            self.close_block(encoder)?;
        }
        Ok((self.done, self.starts))
    }

    fn close_block(&mut self, encoder: &mut Encoder) -> Result<()> {
        self.starts.push(self.done.len() as u64);
        let packed = encoder.encode(&self.open)?;
        let stored = if packed.is_none() { METADATA_STORED } else { 0 };
        let bytes = packed.as_deref().unwrap_or(&self.open);
        self.done
            .extend_from_slice(&(bytes.len() as u16 | stored).to_le_bytes());
        self.done.extend_from_slice(bytes);
        self.open.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_block_is_closed_at_once() {
        let mut encoder = Encoder::Stored;
        let mut writer = MetadataWriter::default();

        writer.write(&[1; METADATA_SIZE], &mut encoder).unwrap();

        let next = Place {
            block: 2 + METADATA_SIZE as u32,
            offset: 0,
        };
        assert_eq!(writer.place().unwrap(), next);
        let (bytes, starts) = writer.finish(&mut encoder).unwrap();
        assert_eq!((bytes.len(), starts), (2 + METADATA_SIZE, vec![0]));
        assert_eq!(
            bytes[..2],
            (METADATA_SIZE as u16 | METADATA_STORED).to_le_bytes()
        );
    }
}
