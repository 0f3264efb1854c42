//! Directories as the disk holds them: runs of entries below headers.

use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::metadata::{MetadataWriter, Place};

/// The kernel takes no more entries below one header.
const ENTRIES_PER_HEADER: usize = 256;

/// One name, and the inode that it leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) inode: Place,
    pub(crate) number: u32,
    pub(crate) inode_type: u16,
}

/// Lets the kernel skip to the part of a large directory that may hold a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// Bytes of the listing before the header that this points to.
    pub(crate) position: u32,
    /// The metadata block that the header is in.
    pub(crate) block: u32,
    /// The first name below the header.
    pub(crate) name: Vec<u8>,
}

/// Where a directory's entries were written.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) place: Place,
    pub(crate) size: u32,
    pub(crate) index: Vec<IndexEntry>,
}

/// Writes entries, which are sorted by name.
pub(crate) fn write(
    entries: &[Entry<'_>],
    table: &mut MetadataWriter,
    encoder: &mut Encoder,
) -> Result<Listing> {
    let place = table.place()?;
    let mut listing = Listing {
        place,
        size: 0,
        index: Vec::new(),
    };
    let mut indexed_block = place.block;
    let mut rest = entries;
    while !rest.is_empty() {
        let here = table.place()?;
        if here.block != indexed_block {
            let name = rest[0].name.to_vec();
            listing.index.push(IndexEntry {
                position: listing.size,
                block: here.block,
                name,
            });
            indexed_block = here.block;
        }
        let (run, after) = rest.split_at(run_length(rest));
        let bytes = encode_run(run);
        table.write(&bytes, encoder)?;
        listing.size = u32::try_from(bytes.len())
            .ok()
            .and_then(|length| listing.size.checked_add(length))
            // Room for the three bytes that the inode adds.
            .filter(|&size| size < u32::MAX - 3)
            .ok_or_else(|| Error::Limit("a directory of more than 4 GiB".into()))?;
        rest = after;
    }
    Ok(listing)
}

/// How many of these entries fit below one header: it names one metadata block of inodes and one
/// inode number, to which each entry adds 16 bits with a sign.
fn run_length(entries: &[Entry<'_>]) -> usize {
    let first = entries[0];
    let fits = |entry: &&Entry<'_>| {
        entry.inode.block == first.inode.block && delta(first.number, entry.number).is_some()
    };
    entries
        .iter()
        .take(ENTRIES_PER_HEADER)
        .take_while(fits)
        .count()
}

fn delta(base: u32, number: u32) -> Option<i16> {
    i16::try_from(i64::from(number) - i64::from(base)).ok()
}

fn encode_run(run: &[Entry<'_>]) -> Vec<u8> {
    let base = run[0].number;
    let mut bytes = Vec::with_capacity(12 + run.len() * 24);
    for word in [run.len() as u32 - 1, run[0].inode.block, base] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    for entry in run {
        let delta = delta(base, entry.number).unwrap_or_default(); // `run_length` made it fit
        bytes.extend_from_slice(&entry.inode.offset.to_le_bytes());
        bytes.extend_from_slice(&delta.to_le_bytes());
        bytes.extend_from_slice(&entry.inode_type.to_le_bytes());
        // Linux names have 1 to 255 bytes.
        bytes.extend_from_slice(&(entry.name.len() as u16 - 1).to_le_bytes());
        bytes.extend_from_slice(entry.name);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32, block: u32) -> Entry<'static> {
        Entry {
            name: b"name",
            inode: Place { block, offset: 8 },
            number,
            inode_type: 2,
        }
    }

    #[test]
    fn a_run_ends_at_256_entries_a_new_block_or_a_far_number() {
        let many: Vec<_> = (0..300).map(|n| entry(n, 0)).collect();
        assert_eq!(run_length(&many), 256);
        assert_eq!(run_length(&[entry(1, 0), entry(2, 0), entry(3, 9)]), 2);
        assert_eq!(
            run_length(&[entry(40_000, 0), entry(7_232, 0), entry(7_231, 0)]),
            2
        );
        assert_eq!(
            run_length(&[entry(0, 0), entry(32_767, 0), entry(32_768, 0)]),
            2
        );
    }
}
