//! Everything about a tree that a package must keep, in a form that can be compared.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{lgetxattr, llistxattr};

/// One name of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub modified: i64,
    /// 0 for directories, whose size is the file system's affair.
    pub size: u64,
    /// For a directory, as squashfs counts: itself, its name, and its subdirectories.
    pub links: u64,
    pub device: u64,
    pub target: Option<PathBuf>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The first name of the same inode.
    pub same_as: PathBuf,
}

/// All names of a tree, "" for the root.
pub type Snapshot = BTreeMap<PathBuf, Entry>;

/// Reads the tree below `root`.
pub fn snapshot(root: &Path) -> Snapshot {
    let mut names = vec![PathBuf::new()];
    let mut at = 0;
    while at < names.len() {
        let path = root.join(&names[at]);
        if path.symlink_metadata().unwrap().is_dir() {
            for entry in fs::read_dir(&path).unwrap() {
                names.push(names[at].join(entry.unwrap().file_name()));
            }
        }
        at += 1;
    }
    names.sort();
    let mut first_names = BTreeMap::new();
    let entries = names.iter().map(|name| {
        let inode = root.join(name).symlink_metadata().unwrap().ino();
        let same_as = first_names
            .entry(inode)
            .or_insert_with(|| name.clone())
            .clone();
        (name.clone(), entry(&root.join(name), same_as))
    });
    entries.collect()
}

fn entry(path: &Path, same_as: PathBuf) -> Entry {
    let metadata = path.symlink_metadata().unwrap();
    let directory = metadata.is_dir();
    let subdirectories = || {
        let entries = fs::read_dir(path).unwrap();
        entries
            .filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir())
            .count() as u64
    };
    Entry {
        mode: metadata.mode(),
        uid: metadata.uid(),
        gid: metadata.gid(),
        modified: metadata.mtime(),
        size: if directory { 0 } else { metadata.size() },
        links: if directory {
            2 + subdirectories()
        } else {
            metadata.nlink()
        },
        device: metadata.rdev(),
        target: fs::read_link(path).ok(),
        xattrs: xattrs(path),
        same_as,
    }
}

fn xattrs(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut list = vec![0; 1 << 16];
    let length = llistxattr(path, &mut list[..]).unwrap();
    let names = list[..length]
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = vec![0; 1 << 16];
            let length = lgetxattr(path, name, &mut value[..]).unwrap();
            (name.to_vec(), value[..length].to_vec())
        })
        .collect()
}

/// The first name that differs between two trees, or whose content does, and how.
pub fn difference(left: &Path, right: &Path) -> Option<String> {
    let (ours, theirs) = (snapshot(left), snapshot(right));
    if let Some(name) = ours
        .keys()
        .chain(theirs.keys())
        .find(|&n| ours.get(n) != theirs.get(n))
    {
        return Some(format!(
            "{name:?}: {:?} against {:?}",
            ours.get(name),
            theirs.get(name)
        ));
    }
    let files = ours
        .iter()
        .filter(|(_, entry)| entry.mode & 0o170_000 == 0o100_000);
    let mut names = files.map(|(name, _)| name);
    let other = names.find(|name| !same_content(&left.join(name), &right.join(name)));
    other.map(|name| format!("{name:?}: the content differs"))
}

fn same_content(left: &Path, right: &Path) -> bool {
    let mut files = [File::open(left).unwrap(), File::open(right).unwrap()];
    let mut chunks = [const { Vec::new() }; 2];
    loop {
        for (file, chunk) in files.iter_mut().zip(&mut chunks) {
            chunk.clear();
            file.by_ref().take(1 << 20).read_to_end(chunk).unwrap();
        }
        if chunks[0] != chunks[1] {
            return false;
        }
        if chunks[0].is_empty() {
            return true;
        }
    }
}

/// Tests that compare prove nothing if the comparison sees nothing.
#[test]
fn the_comparison_sees_every_kind_of_change() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    let changes: [fn(&Path); 7] = [
        |tree| fs::write(tree.join("hello"), "HELLO\n").unwrap(),
        |tree| fs::set_permissions(tree.join("hello"), Permissions::from_mode(0o4644)).unwrap(),
        |tree| {
            File::open(tree.join("sub"))
                .unwrap()
                .set_modified(std::time::UNIX_EPOCH)
                .unwrap()
        },
        |tree| fs::remove_file(tree.join("sub/link")).unwrap(),
        |tree| fs::create_dir(tree.join("sub/more")).unwrap(),
        |tree| fs::hard_link(tree.join("hello"), tree.join("again")).unwrap(),
        |tree| {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::lsetxattr(tree.join("hello"), "user.x", b"y", flags).unwrap();
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let fixture = crate::fixture::Fixture::small();
        let copy = fixture.out().join("copy");
        let copied = Command::new("cp")
            .arg("-a")
            .args([fixture.tree(), copy.clone()])
            .status();
        assert!(copied.unwrap().success());
        assert_eq!(difference(&fixture.tree(), &copy), None);
        change(&copy);
        assert!(
            difference(&fixture.tree(), &copy).is_some(),
            "change {number} is not seen"
        );
    }
}
