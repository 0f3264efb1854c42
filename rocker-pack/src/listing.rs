//! Prints the files of a package, one line each, like `tar tv`.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use crate::error::{Context, Error, Result};
use crate::inode::inode_type as kind;
use crate::reader::{self, Cursor, Reader};
use crate::superblock::{Superblock, half, word};
use crate::utc;

/// The three bytes that a directory's size has more than its listing.
const DOTS: u32 = 3;

/// An inode as read from a package.
struct Inode {
    inode_type: u16,
    mode: u16,
    uid: usize,
    gid: usize,
    modified: u32,
    body: Body,
}

enum Body {
    Directory { block: u32, offset: u16, size: u32 },
    File { size: u64 },
    Symlink { target: Vec<u8> },
    Device { number: u32 },
    Other,
}

/// Writes a line for every file of the squashfs package at `path`.
///
/// # Errors
/// The package is damaged or no squashfs package, or `out` cannot be written.
pub fn list(path: &Path, out: &mut dyn Write) -> Result<()> {
    let (file, head, _) = reader::open(path)?;
    let corrupt = |what| Error::Corrupt {
        path: path.into(),
        what,
    };
    let superblock = Superblock::decode(&head).map_err(corrupt)?;
    let reader = Reader::new(file, path, superblock)?;
    let mut lister = Lister {
        ids: reader.ids()?,
        reader: &reader,
        path,
        out,
    };
    // A directory that leads back to itself would be listed without end.
    let mut seen = HashSet::new();
    let mut todo = vec![(reader.superblock.root_inode, b".".to_vec())];
    while let Some((reference, name)) = todo.pop() {
        let inode = lister.inode(reference)?;
        lister.print(&inode, &name)?;
        if let Body::Directory {
            block,
            offset,
            size,
        } = inode.body
        {
            if !seen.insert(reference) {
                return Err(reader.corrupt("a directory that is below itself, or has two names"));
            }
            let mut entries = lister.entries(reader.directory_cursor(block, offset), size)?;
            entries.reverse(); // the stack turns them round again
            todo.extend(
                entries
                    .into_iter()
                    .map(|(child, entry)| (child, join(&name, &entry))),
            );
        }
    }
    Ok(())
}

fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    [parent, name].join(&b'/')
}

struct Lister<'a> {
    reader: &'a Reader,
    ids: Vec<u32>,
    path: &'a Path,
    out: &'a mut dyn Write,
}

impl Lister<'_> {
    fn inode(&self, reference: u64) -> Result<Inode> {
        let mut cursor = self.reader.inode_cursor(reference);
        let header = self.reader.read(&mut cursor, 16)?;
        let disk_type = half(&header, 0);
        let extended = disk_type > kind::EXTENDED;
        let inode_type = if extended {
            disk_type - kind::EXTENDED
        } else {
            disk_type
        };
        Ok(Inode {
            inode_type,
            mode: half(&header, 2),
            uid: usize::from(half(&header, 4)),
            gid: usize::from(half(&header, 6)),
            modified: word(&header, 8),
            body: self.body(inode_type, extended, &mut cursor)?,
        })
    }

    fn body(&self, inode_type: u16, extended: bool, cursor: &mut Cursor) -> Result<Body> {
        let mut read = |length| self.reader.read(cursor, length);
        Ok(match (inode_type, extended) {
            (kind::DIRECTORY, false) => {
                let b = read(16)?;
                Body::Directory {
                    block: word(&b, 0),
                    size: half(&b, 8).into(),
                    offset: half(&b, 10),
                }
            }
            (kind::DIRECTORY, true) => {
                let b = read(24)?;
                Body::Directory {
                    block: word(&b, 8),
                    size: word(&b, 4),
                    offset: half(&b, 18),
                }
            }
            (kind::FILE, false) => Body::File {
                size: word(&read(16)?, 12).into(),
            },
            (kind::FILE, true) => Body::File {
                size: crate::superblock::long(&read(16)?, 8),
            },
            (kind::SYMLINK, _) => {
                let length = word(&read(8)?, 4);
                if length > 1 << 16 {
                    return Err(self.reader.corrupt(format!("a symlink of {length} bytes")));
                }
                Body::Symlink {
                    target: read(length as usize)?,
                }
            }
            (kind::BLOCK_DEVICE | kind::CHAR_DEVICE, _) => Body::Device {
                number: word(&read(8)?, 4),
            },
            (kind::FIFO | kind::SOCKET, _) => Body::Other,
            (other, _) => return Err(self.reader.corrupt(format!("an inode of type {other}"))),
        })
    }

    /// Inode references and names of a directory.
    fn entries(&self, mut cursor: Cursor, size: u32) -> Result<Vec<(u64, Vec<u8>)>> {
        let mut entries = Vec::new();
        let mut left = u64::from(size.saturating_sub(DOTS));
        let damaged = || self.reader.corrupt("a directory that ends within an entry");
        while left > 0 {
            left = left.checked_sub(12).ok_or_else(damaged)?;
            let header = self.reader.read(&mut cursor, 12)?;
            let block = u64::from(word(&header, 4));
            for _ in 0..=word(&header, 0) {
                left = left.checked_sub(8).ok_or_else(damaged)?;
                let entry = self.reader.read(&mut cursor, 8)?;
                let length = u64::from(half(&entry, 6)) + 1;
                left = left.checked_sub(length).ok_or_else(damaged)?;
                let name = self.reader.read(&mut cursor, length as usize)?;
                entries.push((block << 16 | u64::from(half(&entry, 0)), name));
            }
        }
        Ok(entries)
    }

    fn print(&mut self, inode: &Inode, name: &[u8]) -> Result<()> {
        let id = |at: usize| self.ids.get(at).map_or_else(|| "?".into(), u32::to_string);
        let owner = format!("{}/{}", id(inode.uid), id(inode.gid));
        let size = match inode.body {
            Body::File { size } => size.to_string(),
            Body::Device { number } => {
                format!(
                    "{},{}",
                    number >> 8 & 0xfff,
                    number & 0xff | number >> 12 & 0xf_ff00
                )
            }
            _ => "0".into(),
        };
        let mut line = format!(
            "{} {owner:>11} {size:>11} {} {}",
            mode_string(inode),
            utc::format(inode.modified.into()).trim_end_matches(" UTC"),
            printable(name)
        );
        if let Body::Symlink { target } = &inode.body {
            line += &format!(" -> {}", printable(target));
        }
        writeln!(self.out, "{line}").context("list", self.path)
    }
}

/// `drwxr-sr-t`, as `ls` writes it.
fn mode_string(inode: &Inode) -> String {
    let mut text = String::from(match inode.inode_type {
        kind::DIRECTORY => "d",
        kind::FILE => "-",
        kind::SYMLINK => "l",
        kind::BLOCK_DEVICE => "b",
        kind::CHAR_DEVICE => "c",
        kind::FIFO => "p",
        _ => "s",
    });
    // For each class: its three bits, the extra bit, and the letter that this bit puts on x.
    for (shift, extra, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = inode.mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, inode.mode & extra != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// A name on one line, whatever bytes it has: a terminal must not be steered by a package.
fn printable(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.is_control() || character == '\\' {
                true => text.extend(character.escape_default()),
                false => text.push(character),
            }
        }
        text += &chunk.invalid().escape_ascii().to_string();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(printable("a b ü".as_bytes()), "a b ü");
        assert_eq!(printable(b"a\nb\x1b[1m\xff\\"), "a\\nb\\u{1b}[1m\\xff\\\\");
    }
}
