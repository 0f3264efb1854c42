//! Walks the source directory and makes a [`Tree`] of it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::{major, minor};

use crate::error::{Context, Error, Result};
use crate::exclude::Exclude;
use crate::observer::Observer;
use crate::options::Options;
use crate::tree::{FileStamp, Inode, InodeIndex, Kind, Tree};
use crate::warnings::Warnings;
use crate::xattr::XattrSets;

/// The longest target that every kernel reads: newer ones refuse more than a page.
const SYMLINK_CAP: usize = 4096;

/// What a scan finds.
pub(crate) struct Scan {
    pub(crate) tree: Tree,
    pub(crate) xattrs: XattrSets,
    /// Names that were left out on request.
    pub(crate) excluded: u64,
}

/// Reads all names and metadata below the source, in an order of its own: the result depends on the
/// tree alone, not on the order in which the file system lists it.
pub(crate) fn scan(
    options: &Options,
    observer: &dyn Observer,
    warnings: &mut Warnings,
) -> Result<Scan> {
    let metadata = fs::metadata(&options.source).context("read", &options.source)?;
    if !metadata.is_dir() {
        return Err(Error::Refused {
            path: options.source.clone(),
            reason: "is not a directory".into(),
        });
    }
    let tree = Tree {
        source: options.source.clone(),
        inodes: Vec::new(),
    };
    let mut scanner = Scanner {
        options,
        exclude: Exclude::new(&options.exclude)?,
        warnings,
        scan: Scan {
            tree,
            xattrs: XattrSets::default(),
            excluded: 0,
        },
        linked: HashMap::new(),
    };
    // The argument may be a symlink to the tree; from here on, none is followed.
    let path = options.source.join(".");
    let name = OsString::new();
    scanner.add(
        Name {
            path: &path,
            relative: Path::new("."),
            parent: 0,
            name,
        },
        &metadata,
    )?;
    let mut todo = vec![0];
    while let Some(directory) = todo.pop() {
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        scanner.directory(directory, &mut todo)?;
    }
    Ok(scanner.scan)
}

struct Scanner<'a> {
    options: &'a Options,
    exclude: Exclude,
    warnings: &'a mut Warnings,
    scan: Scan,
    /// Inodes with several names, by device and inode number.
    linked: HashMap<(u64, u64), InodeIndex>,
}

/// A name that the scan came across.
struct Name<'a> {
    path: &'a Path,
    relative: &'a Path,
    parent: InodeIndex,
    name: OsString,
}

impl Scanner<'_> {
    fn directory(&mut self, directory: InodeIndex, todo: &mut Vec<InodeIndex>) -> Result<()> {
        let path = self.scan.tree.path(directory);
        let relative = self.scan.tree.relative_path(directory);
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).context("read directory", &path)? {
            names.push(entry.context("read directory", &path)?.file_name());
        }
        names.sort_unstable();
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            let relative = relative.join(&name);
            if self.exclude.matches(&relative) {
                self.scan.excluded += 1;
                continue;
            }
            let path = path.join(&name);
            let parent = directory;
            let child = self.child(Name {
                path: &path,
                relative: &relative,
                parent,
                name: name.clone(),
            })?;
            if self.scan.tree.is_directory(child) {
                todo.push(child);
            }
            entries.push((name, child));
        }
        self.scan.tree.inodes[directory].kind = Kind::Directory(entries);
        Ok(())
    }

    /// The inode of one name: a new one, or one that another name led to before.
    fn child(&mut self, name: Name<'_>) -> Result<InodeIndex> {
        let metadata = fs::symlink_metadata(name.path).context("stat", name.path)?;
        if metadata.is_dir() || metadata.nlink() < 2 {
            return self.add(name, &metadata);
        }
        let key = (metadata.dev(), metadata.ino());
        if let Some(&known) = self.linked.get(&key) {
            self.scan.tree.inodes[known].links += 1;
            return Ok(known);
        }
        let index = self.add(name, &metadata)?;
        self.linked.insert(key, index);
        Ok(index)
    }

    fn add(
        &mut self,
        Name {
            path,
            relative,
            parent,
            name,
        }: Name<'_>,
        metadata: &Metadata,
    ) -> Result<InodeIndex> {
        let xattrs = match self.options.xattrs {
            true => self.scan.xattrs.read(path, relative, self.warnings)?,
            false => None,
        };
        let index = self.scan.tree.inodes.len();
        self.scan.tree.inodes.push(Inode {
            kind: kind(path, metadata)?,
            mode: (metadata.mode() & 0o7777) as u16, // 12 bits
            uid: metadata.uid(),
            gid: metadata.gid(),
            modified: metadata.mtime(),
            links: 1,
            xattrs,
            parent,
            name,
        });
        Ok(index)
    }
}

fn kind(path: &Path, metadata: &Metadata) -> Result<Kind> {
    let file_type = metadata.file_type();
    Ok(if file_type.is_dir() {
        Kind::Directory(Vec::new())
    } else if file_type.is_file() {
        Kind::File(FileStamp::of(metadata))
    } else if file_type.is_symlink() {
        let target = fs::read_link(path).context("read symlink", path)?;
        if target.as_os_str().as_bytes().len() > SYMLINK_CAP {
            return Err(Error::Limit(format!(
                "the symlink {path:?} is longer than {SYMLINK_CAP} bytes"
            )));
        }
        Kind::Symlink(target.into_os_string().into_vec())
    } else if file_type.is_block_device() {
        Kind::BlockDevice(device_number(path, metadata)?)
    } else if file_type.is_char_device() {
        Kind::CharDevice(device_number(path, metadata)?)
    } else if file_type.is_fifo() {
        Kind::Fifo
    } else {
        Kind::Socket
    })
}

/// The kernel's own packing (`new_encode_dev`): 12 bits of major, 20 of minor.
fn device_number(path: &Path, metadata: &Metadata) -> Result<u32> {
    let (major, minor) = (major(metadata.rdev()), minor(metadata.rdev()));
    if major > 0xfff || minor > 0xf_ffff {
        return Err(Error::Limit(format!(
            "the device number {major}:{minor} of {path:?}"
        )));
    }
    Ok((minor & 0xff) | major << 8 | (minor & !0xff) << 12)
}

impl FileStamp {
    /// The stamp of a file as it is now.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}
