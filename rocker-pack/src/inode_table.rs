//! Inodes and directories of the whole tree, once the content is written.

use std::os::unix::ffi::OsStrExt;

use crate::data::{Content, ContentIndex};
use crate::directory::{self, Entry};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::ids::IdTable;
use crate::inode::{self, Header, inode_type};
use crate::metadata::{MetadataWriter, Place};
use crate::options::{Options, Owner, Time};
use crate::tree::{Inode, InodeIndex, Kind, Tree};
use crate::warnings::Warnings;

/// Both tables, and what else the superblock and the other tables need.
pub(crate) struct InodeTable {
    pub(crate) inodes: MetadataWriter,
    pub(crate) directories: MetadataWriter,
    pub(crate) ids: IdTable,
    /// Where each inode is, in the order of the inode numbers from 1.
    pub(crate) places: Vec<Place>,
    pub(crate) root: Place,
}

/// What a writer of inodes reads and never changes.
pub(crate) struct Input<'a> {
    pub(crate) options: &'a Options,
    pub(crate) tree: &'a Tree,
    /// Inode numbers count from 1 in this order; see [`Tree::children_first`].
    pub(crate) order: &'a [InodeIndex],
    pub(crate) contents: &'a [Content],
    /// The content of each file inode.
    pub(crate) content_of: &'a [Option<ContentIndex>],
}

/// Writes all inodes of `input`.
pub(crate) fn write(
    input: &Input<'_>,
    encoder: &mut Encoder,
    warnings: &mut Warnings,
) -> Result<InodeTable> {
    let mut writer = Writer {
        input,
        table: InodeTable {
            inodes: MetadataWriter::default(),
            directories: MetadataWriter::default(),
            ids: IdTable::default(),
            places: Vec::with_capacity(input.order.len()),
            root: Place::default(),
        },
        numbers: number(input)?,
    };
    for &index in input.order {
        let bytes = writer.encode(index, encoder, warnings)?;
        let place = writer.table.inodes.place()?;
        writer.table.inodes.write(&bytes, encoder)?;
        writer.table.places.push(place);
        writer.table.root = place; // the root is the last
    }
    Ok(writer.table)
}

fn number(input: &Input<'_>) -> Result<Vec<u32>> {
    let mut numbers = vec![0; input.tree.inodes.len()];
    for (&index, number) in input.order.iter().zip(1u64..) {
        numbers[index] =
            u32::try_from(number).map_err(|_| Error::Limit("more than 2^32 files".into()))?;
    }
    Ok(numbers)
}

struct Writer<'a> {
    input: &'a Input<'a>,
    table: InodeTable,
    numbers: Vec<u32>,
}

impl Writer<'_> {
    fn encode(
        &mut self,
        index: InodeIndex,
        encoder: &mut Encoder,
        warnings: &mut Warnings,
    ) -> Result<Vec<u8>> {
        let node = &self.input.tree.inodes[index];
        let header = self.header(index, warnings)?;
        Ok(match &node.kind {
            Kind::Directory(entries) => self.directory(index, header, entries, encoder)?,
            Kind::File(_) => {
                let content = self.input.content_of[index].map(|at| &self.input.contents[at]);
                inode::file(header, content.unwrap_or(&Content::default()))
            }
            Kind::Symlink(target) => inode::symlink(header, target),
            Kind::BlockDevice(number) => {
                inode::special(inode_type::BLOCK_DEVICE, header, Some(*number))
            }
            Kind::CharDevice(number) => {
                inode::special(inode_type::CHAR_DEVICE, header, Some(*number))
            }
            Kind::Fifo => inode::special(inode_type::FIFO, header, None),
            Kind::Socket => inode::special(inode_type::SOCKET, header, None),
        })
    }

    fn header(&mut self, index: InodeIndex, warnings: &mut Warnings) -> Result<Header> {
        let node = &self.input.tree.inodes[index];
        let (uid, gid) = match self.input.options.owner {
            Owner::Keep => (node.uid, node.gid),
            Owner::Set { uid, gid } => (uid, gid),
        };
        let modified = match self.input.options.time {
            Time::Set(time) => time,
            Time::Keep => clamp(node).unwrap_or_else(|nearest| {
                let path = self.input.tree.relative_path(index);
                warnings.note(
                    "squashfs cannot hold a time before 1970 or after 2106",
                    &path,
                );
                nearest
            }),
        };
        Ok(Header {
            mode: node.mode,
            uid: self.table.ids.number(uid)?,
            gid: self.table.ids.number(gid)?,
            modified,
            number: self.numbers[index],
            links: node.links,
            xattrs: node.xattrs,
        })
    }

    fn directory(
        &mut self,
        index: InodeIndex,
        header: Header,
        entries: &[(std::ffi::OsString, InodeIndex)],
        encoder: &mut Encoder,
    ) -> Result<Vec<u8>> {
        let tree = self.input.tree;
        let listed: Vec<Entry<'_>> = entries
            .iter()
            .map(|(name, child)| Entry {
                name: name.as_bytes(),
                // Children come first in the order, so their places are known.
                inode: self.table.places[self.numbers[*child] as usize - 1],
                number: self.numbers[*child],
                inode_type: type_of(&tree.inodes[*child].kind),
            })
            .collect();
        let listing = directory::write(&listed, &mut self.table.directories, encoder)?;
        let below = entries
            .iter()
            .filter(|(_, child)| tree.is_directory(*child))
            .count();
        let links = 2 + below as u32; // fewer than there are inodes
        let parent = match index {
            // The root has no parent; one past the last inode is what mksquashfs writes.
            0 => self.input.order.len() as u32 + 1,
            _ => self.numbers[tree.inodes[index].parent],
        };
        Ok(inode::directory(
            Header { links, ..header },
            parent,
            &listing,
        ))
    }
}

fn type_of(kind: &Kind) -> u16 {
    match kind {
        Kind::Directory(_) => inode_type::DIRECTORY,
        Kind::File(_) => inode_type::FILE,
        Kind::Symlink(_) => inode_type::SYMLINK,
        Kind::BlockDevice(_) => inode_type::BLOCK_DEVICE,
        Kind::CharDevice(_) => inode_type::CHAR_DEVICE,
        Kind::Fifo => inode_type::FIFO,
        Kind::Socket => inode_type::SOCKET,
    }
}

/// The time as the disk holds it, or the nearest that it can hold.
fn clamp(node: &Inode) -> std::result::Result<u32, u32> {
    let nearest = if node.modified < 0 { 0 } else { u32::MAX };
    u32::try_from(node.modified).map_err(|_| nearest)
}
