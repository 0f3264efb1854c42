//! The tree to pack, without its content: inodes, and the names that lead to them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The position of an inode in [`Tree::inodes`]; the root is 0.
pub(crate) type InodeIndex = usize;

/// What sets one kind of inode apart from the others.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Entries sorted by the bytes of their names, as the kernel's look-up wants them.
    Directory(Vec<(OsString, InodeIndex)>),
    File(FileStamp),
    Symlink(Vec<u8>),
    BlockDevice(u32),
    CharDevice(u32),
    Fifo,
    Socket,
}

/// What must not change in a file between its scan and the end of its reading. Another file put in
/// its place shows by the time of its inode's change; inode numbers are left out, as some network
/// file systems make them up anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    pub(crate) size: u64,
    pub(crate) modified: (i64, i64),
    pub(crate) changed: (i64, i64),
}

/// One inode; several names may lead to it.
#[derive(Debug)]
pub(crate) struct Inode {
    pub(crate) kind: Kind,
    /// The permissions with setuid, setgid and sticky, without the type.
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) modified: i64,
    /// Names within the tree; links from outside do not count.
    pub(crate) links: u32,
    /// Which set of extended attributes.
    pub(crate) xattrs: Option<u32>,
    /// The first name found, for opening and for messages.
    pub(crate) parent: InodeIndex,
    pub(crate) name: OsString,
}

/// The inodes below one directory.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) source: PathBuf,
    pub(crate) inodes: Vec<Inode>,
}

impl Tree {
    /// The path of an inode, from wherever the tree's own path starts.
    pub(crate) fn path(&self, index: InodeIndex) -> PathBuf {
        join(&self.source, &self.names(index))
    }

    /// The path of an inode within the tree.
    pub(crate) fn relative_path(&self, index: InodeIndex) -> PathBuf {
        join(Path::new(""), &self.names(index))
    }

    fn names(&self, mut index: InodeIndex) -> Vec<&OsString> {
        let mut names = Vec::new();
        while index != 0 {
            names.push(&self.inodes[index].name);
            index = self.inodes[index].parent;
        }
        names.reverse();
        names
    }

    /// Every inode once, in the order of the inode table: what lies below a directory before the
    /// directory, whose entries refer to places in that table; and the files of one directory side
    /// by side, so that few directory headers and few metadata blocks cover them.
    pub(crate) fn children_first(&self) -> Vec<InodeIndex> {
        let mut order = Vec::with_capacity(self.inodes.len());
        let mut seen = vec![false; self.inodes.len()];
        let mut todo = vec![(0, false)];
        // A stack of our own: a deep tree must not overflow the thread's.
        while let Some((index, entered)) = todo.pop() {
            let Kind::Directory(entries) = &self.inodes[index].kind else {
                continue;
            };
            if !entered {
                todo.push((index, true));
                todo.extend(entries.iter().rev().map(|&(_, child)| (child, false)));
                continue;
            }
            let leaves = entries.iter().map(|&(_, child)| child);
            for child in leaves.filter(|&child| !self.is_directory(child)) {
                if !std::mem::replace(&mut seen[child], true) {
                    order.push(child);
                }
            }
            order.push(index);
        }
        order
    }

    /// Whether this inode is a directory.
    pub(crate) fn is_directory(&self, index: InodeIndex) -> bool {
        matches!(self.inodes[index].kind, Kind::Directory(_))
    }
}

fn join(base: &Path, names: &[&OsString]) -> PathBuf {
    let mut path = base.to_path_buf();
    path.extend(names);
    path
}
