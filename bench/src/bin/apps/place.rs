//! `Place`: the directories of one App, on the disk's file system.

use crate::app::App;
use crate::plan::Plan;
use crate::site::{APP_ID, HERE, Kind, Site};
use crate::tree::Tree;
use rocker_pack::Options;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One App's tree, packages and sites.
pub(crate) struct Place {
    pub(crate) tree: Tree,
    pub(crate) sites: Vec<Site>,
}

impl Place {
    /// Makes everything that the App needs to be started.
    pub(crate) fn make(disk: &Path, app: &dyn App, plan: &Plan) -> Self {
        let dir = disk.join("apps").join(app.program());
        fs::create_dir_all(&dir).expect("a directory");
        rocker_testing::make_dir(HERE, 0o755);
        rocker_testing::mount(&dir, HERE, "", libc::MS_BIND, "").expect("a bind mount");
        let here = Path::new(HERE);
        rocker_testing::make_dir(here.join("exec"), 0o755);
        let tree = tree(here, app);
        for kind in app.kinds() {
            pack(&tree, &package(kind), plan.level);
        }
        let sites = app.kinds().into_iter();
        let sites = sites.map(|kind| site(app.name(), kind, &tree));
        let sites = sites.collect();
        let place = Self { tree, sites };
        place.prepare(app);
        place
    }

    fn prepare(&self, app: &dyn App) {
        let master = bench::Master::start_with_cache();
        for site in &self.sites {
            app.prepare(site);
        }
        drop(master);
        // What is dirty cannot leave the page cache.
        // SAFETY: no argument.
        unsafe { libc::sync() };
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // SAFETY: a path of ours. A mount that is still busy goes with the mount namespace at the latest.
        unsafe { libc::umount2(rocker_testing::c_path(HERE).as_ptr(), libc::MNT_DETACH) };
    }
}

/// Collected once, even if several Apps have the same program.
fn tree(here: &Path, app: &dyn App) -> Tree {
    let dir = here.join("tree");
    let is_there = dir.exists();
    let tree = Tree::new(dir);
    if !is_there {
        app.collect(&tree);
    }
    tree
}

fn site(name: &str, kind: Kind, tree: &Tree) -> Site {
    let here = Path::new(HERE);
    let dir = here.join(format!("{name}.{kind:?}"));
    for name in ["state", "meeting", "data"] {
        rocker_testing::make_dir(dir.join(name), 0o755);
    }
    let theirs: &[&str] = match kind {
        Kind::Outside | Kind::Direct => &["state", "meeting"],
        // The top of the overlay is made the App's own by the guard.
        Kind::Overlay | Kind::Erofs => &["meeting"],
    };
    for name in theirs {
        std::os::unix::fs::chown(dir.join(name), Some(APP_ID), Some(APP_ID)).expect("root");
    }
    Site {
        kind,
        dir,
        tree: tree.dir().to_owned(),
        package: package(kind),
        loader: tree.loader(),
        port: Site::free_port(),
    }
}

fn package(kind: Kind) -> PathBuf {
    Path::new(HERE).join(match kind {
        Kind::Erofs => "app.erofs",
        _ => "app.sqfs",
    })
}

/// Packs the tree, unless that was done for an earlier site.
fn pack(tree: &Tree, package: &Path, level: Option<i32>) {
    if package.exists() {
        return;
    }
    if package.extension().is_some_and(|format| format == "sqfs") {
        let mut options = Options::new(tree.dir(), package);
        options.level = level;
        rocker_pack::build(&options).expect("a package");
        return;
    }
    let mut command = Command::new("mkfs.erofs");
    command.args(["-zlz4hc", "-C65536"]).arg(package);
    command.arg(tree.dir());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "mkfs.erofs");
}
