//! `Tree`: a program with the libraries that it needs, as a directory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory that becomes a package.
pub(crate) struct Tree(PathBuf);

impl Tree {
    /// Not filled yet.
    pub(crate) fn new(dir: PathBuf) -> Self {
        fs::create_dir_all(dir.join("so")).expect("a directory");
        Self(dir)
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }

    /// Copies a program, its libraries and its loader.
    pub(crate) fn program(&self, from: &Path, to: &str) {
        let to = self.0.join(to);
        fs::create_dir_all(to.parent().expect("below the tree")).expect("a directory");
        fs::copy(from, to).expect("a copy");
        self.libraries_of(from);
    }

    /// Copies what a program or a library is linked with.
    pub(crate) fn libraries_of(&self, file: &Path) {
        let listing = Command::new("ldd").arg(file).output().expect("ldd");
        for line in String::from_utf8_lossy(&listing.stdout).lines() {
            let mut words = line.split_whitespace();
            let called = words.next().and_then(|word| word.rsplit('/').next());
            let path = line.split_whitespace().find(|word| word.starts_with('/'));
            if let (Some(called), Some(path)) = (called, path) {
                fs::copy(path, self.0.join("so").join(called)).expect("a copy");
            }
        }
    }

    /// Copies a whole directory; links become what they lead to.
    pub(crate) fn directory(&self, from: &Path, to: &str) {
        let to = self.0.join(to);
        fs::create_dir_all(&to).expect("a directory");
        let status = Command::new("cp")
            .arg("-rL")
            .arg(from.join("."))
            .arg(to)
            .status();
        assert!(status.expect("cp").success(), "cp {}", from.display());
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn file(&self, name: &str, content: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("below the tree")).expect("a directory");
        fs::write(path, content).expect("written");
    }

    /// The name of the loader among the libraries.
    pub(crate) fn loader(&self) -> String {
        let names = names(&self.0.join("so"));
        let loader = names.into_iter().find(|name| name.starts_with("ld-"));
        loader.expect("the program is dynamically linked")
    }

    /// Every regular file, as a path from the top.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.0, &mut |path, metadata| {
            if metadata.is_file() {
                let path = path.strip_prefix(&self.0).expect("below the tree");
                files.push(path.to_owned());
            }
        });
        files
    }

    /// KiB on the disk, as `du` counts.
    pub(crate) fn disk_usage(&self) -> f64 {
        let mut blocks = 0;
        walk(&self.0, &mut |_, metadata| blocks += metadata.blocks());
        blocks as f64 / 2.0
    }
}

fn walk(dir: &Path, visit: &mut impl FnMut(&Path, &fs::Metadata)) {
    for name in names(dir) {
        let path = dir.join(name);
        let metadata = fs::symlink_metadata(&path).expect("metadata");
        visit(&path, &metadata);
        if metadata.is_dir() {
            walk(&path, visit);
        }
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let names = entries.map(|entry| name(entry).into_string().expect("a name in UTF-8"));
    names.collect()
}
