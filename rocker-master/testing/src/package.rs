//! Packages to launch, made by rocker-pack.

use rocker_pack::Options;
use std::fs;
use std::path::{Path, PathBuf};

/// A small package at `/run/app.sqfs` that holds one file, `hello`, with the text `hello from the package`.
pub fn package() -> PathBuf {
    let tree = Path::new("/run/app.tree");
    fs::create_dir_all(tree).unwrap();
    fs::write(tree.join("hello"), "hello from the package\n").unwrap();
    package_of(tree, Path::new("/run/app.sqfs"), |_| {})
}

/// A package of this tree, with options changed as the case likes.
pub fn package_of(tree: &Path, output: &Path, change: impl FnOnce(&mut Options)) -> PathBuf {
    let mut options = Options::new(tree, output);
    options.force = true;
    change(&mut options);
    rocker_pack::build(&options).unwrap();
    output.to_owned()
}
