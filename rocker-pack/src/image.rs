//! The package on its way to the disk: bytes are appended, the superblock comes last.

use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::encoder::Encoder;
use crate::error::{Context, Result};
use crate::metadata::MetadataWriter;
use crate::output::Output;
use crate::superblock::{SUPERBLOCK_SIZE, Superblock};

/// Loop devices deal in whole sectors, and with direct I/O in pages: a package is padded to this.
const PADDING: u64 = 4096;

/// Appends to a package, and knows how long it is.
pub(crate) struct ImageFile {
    writer: BufWriter<std::fs::File>,
    output: Output,
    path: PathBuf,
    position: u64,
}

impl ImageFile {
    /// Starts a package with room for its superblock.
    pub(crate) fn new(output: Output, path: &Path) -> Result<Self> {
        let file = output.file.try_clone().context("open", path)?;
        let writer = BufWriter::with_capacity(1 << 20, file);
        let mut image = Self {
            writer,
            output,
            path: path.into(),
            position: 0,
        };
        image.append(&[0; SUPERBLOCK_SIZE])?;
        Ok(image)
    }

    /// Bytes so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Adds `bytes` to the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).context("write", &self.path)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Adds metadata; where it starts, and where each of its blocks does.
    pub(crate) fn append_metadata(
        &mut self,
        metadata: MetadataWriter,
        encoder: &mut Encoder,
    ) -> Result<(u64, Vec<u64>)> {
        let start = self.position;
        let (bytes, blocks) = metadata.finish(encoder)?;
        self.append(&bytes)?;
        Ok((
            start,
            blocks.into_iter().map(|block| start + block).collect(),
        ))
    }

    /// Adds a table of fixed-size records, then the index that finds its blocks; the index is what
    /// the superblock points to, and nothing may stand between the two (the kernel checks).
    pub(crate) fn append_table(&mut self, records: &[u8], encoder: &mut Encoder) -> Result<u64> {
        let mut table = MetadataWriter::default();
        table.write(records, encoder)?;
        let (_, blocks) = self.append_metadata(table, encoder)?;
        self.append_index(&blocks)
    }

    /// Adds an index of blocks; where it starts.
    pub(crate) fn append_index(&mut self, blocks: &[u64]) -> Result<u64> {
        let start = self.position;
        for block in blocks {
            self.append(&block.to_le_bytes())?;
        }
        Ok(start)
    }

    /// Pads the package, writes its superblock and gives it its name. The size of the file.
    pub(crate) fn publish(mut self, superblock: &Superblock) -> Result<u64> {
        let padded = self.position.next_multiple_of(PADDING);
        self.append(&vec![0; (padded - self.position) as usize])?; // less than a page
        self.writer.flush().context("write", &self.path)?;
        let file = self.writer.get_ref();
        file.write_all_at(&superblock.encode(), 0)
            .context("write", &self.path)?;
        self.output.publish()?;
        Ok(padded)
    }
}
