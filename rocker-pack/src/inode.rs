//! Inodes as the disk holds them.

use crate::data::Content;
use crate::directory::{IndexEntry, Listing};

/// The type numbers of basic inodes; directory entries carry these, and 7 more makes an inode of
/// the extended form.
pub(crate) mod inode_type {
    pub(crate) const DIRECTORY: u16 = 1;
    pub(crate) const FILE: u16 = 2;
    pub(crate) const SYMLINK: u16 = 3;
    pub(crate) const BLOCK_DEVICE: u16 = 4;
    pub(crate) const CHAR_DEVICE: u16 = 5;
    pub(crate) const FIFO: u16 = 6;
    pub(crate) const SOCKET: u16 = 7;
    pub(crate) const EXTENDED: u16 = 7;
}

/// "None" for fragments and extended attributes.
pub(crate) const NONE: u32 = u32::MAX;

/// What every inode has. `uid` and `gid` are positions in the table of ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) mode: u16,
    pub(crate) uid: u16,
    pub(crate) gid: u16,
    pub(crate) modified: u32,
    pub(crate) number: u32,
    pub(crate) links: u32,
    pub(crate) xattrs: Option<u32>,
}

/// An inode being encoded.
struct Bytes(Vec<u8>);

impl Bytes {
    fn new(inode_type: u16, header: Header) -> Self {
        let mut bytes = Self(Vec::with_capacity(64));
        bytes.halves(&[inode_type, header.mode, header.uid, header.gid]);
        bytes.words(&[header.modified, header.number]);
        bytes
    }

    fn halves(&mut self, values: &[u16]) {
        values
            .iter()
            .for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }

    fn words(&mut self, values: &[u32]) {
        values
            .iter()
            .for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }

    fn longs(&mut self, values: &[u64]) {
        values
            .iter()
            .for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }
}

/// A directory, of the form that fits: the basic one has 16 bits of size, no index, no attributes.
pub(crate) fn directory(header: Header, parent: u32, listing: &Listing) -> Vec<u8> {
    // The kernel counts "." and "..", three bytes, which no listing holds.
    let size = listing.size + 3;
    let offset = listing.place.offset;
    if let (Ok(size), None, true) = (u16::try_from(size), header.xattrs, listing.index.is_empty()) {
        let mut bytes = Bytes::new(inode_type::DIRECTORY, header);
        bytes.words(&[listing.place.block, header.links]);
        bytes.halves(&[size, offset]);
        bytes.words(&[parent]);
        return bytes.0;
    }
    let index = &listing.index[..listing.index.len().min(usize::from(u16::MAX))];
    let mut bytes = Bytes::new(inode_type::DIRECTORY + inode_type::EXTENDED, header);
    bytes.words(&[header.links, size, listing.place.block, parent]);
    bytes.halves(&[index.len() as u16, offset]);
    bytes.words(&[header.xattrs.unwrap_or(NONE)]);
    for IndexEntry {
        position,
        block,
        name,
    } in index
    {
        bytes.words(&[*position, *block, name.len() as u32 - 1]);
        bytes.0.extend_from_slice(name);
    }
    bytes.0
}

/// A file; the basic form has 32 bits of size and place, one name, no holes, no attributes.
pub(crate) fn file(header: Header, content: &Content) -> Vec<u8> {
    let (fragment, offset) = content.fragment.unwrap_or((NONE, 0));
    let small = (u32::try_from(content.start), u32::try_from(content.size));
    let plain = header.links == 1 && header.xattrs.is_none() && content.holes == 0;
    let mut bytes = if let (Ok(start), Ok(size), true) = (small.0, small.1, plain) {
        let mut bytes = Bytes::new(inode_type::FILE, header);
        bytes.words(&[start, fragment, offset, size]);
        bytes
    } else {
        let mut bytes = Bytes::new(inode_type::FILE + inode_type::EXTENDED, header);
        // A file of holes only must not seem to have no blocks at all: same as mksquashfs.
        let holes = content.holes.min(content.size.saturating_sub(1));
        bytes.longs(&[content.start, content.size, holes]);
        bytes.words(&[
            header.links,
            fragment,
            offset,
            header.xattrs.unwrap_or(NONE),
        ]);
        bytes
    };
    bytes.words(&content.blocks);
    bytes.0
}

/// A symlink.
pub(crate) fn symlink(header: Header, target: &[u8]) -> Vec<u8> {
    let extended = if header.xattrs.is_some() {
        inode_type::EXTENDED
    } else {
        0
    };
    let mut bytes = Bytes::new(inode_type::SYMLINK + extended, header);
    bytes.words(&[header.links, target.len() as u32]); // the scan limits it to a page
    bytes.0.extend_from_slice(target);
    header
        .xattrs
        .iter()
        .for_each(|&xattrs| bytes.words(&[xattrs]));
    bytes.0
}

/// A device node, or with no device number a fifo or socket.
pub(crate) fn special(basic_type: u16, header: Header, device: Option<u32>) -> Vec<u8> {
    let extended = if header.xattrs.is_some() {
        inode_type::EXTENDED
    } else {
        0
    };
    let mut bytes = Bytes::new(basic_type + extended, header);
    bytes.words(&[header.links]);
    device.iter().for_each(|&device| bytes.words(&[device]));
    header
        .xattrs
        .iter()
        .for_each(|&xattrs| bytes.words(&[xattrs]));
    bytes.0
}
