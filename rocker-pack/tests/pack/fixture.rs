//! A tree with one of everything.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, makedev, mknodat};
use tempfile::TempDir;

use crate::bytes::{noise, text};

/// A directory for a tree, and one for packages.
pub struct Fixture {
    directory: TempDir,
}

impl Fixture {
    /// Both directories, empty.
    pub fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(directory.path().join("tree")).unwrap();
        fs::create_dir(directory.path().join("out")).unwrap();
        Self { directory }
    }

    /// A tree of a few small files that needs no privilege.
    pub fn small() -> Self {
        let fixture = Self::empty();
        fs::create_dir(fixture.tree().join("sub")).unwrap();
        fs::write(fixture.tree().join("hello"), "hello\n").unwrap();
        fs::write(fixture.tree().join("sub/text"), text(1, 100_000)).unwrap();
        symlink("../hello", fixture.tree().join("sub/link")).unwrap();
        fixture
    }

    /// One of everything, with files around the borders of blocks of this size. Needs root.
    pub fn rich(block_size: usize) -> Self {
        let fixture = Self::empty();
        let tree = fixture.tree();
        sizes(&tree, block_size);
        names(&tree);
        holes(&tree, block_size);
        links(&tree);
        specials(&tree);
        identities(&tree);
        attributes(&tree);
        times(&tree);
        fixture
    }

    /// The tree to pack.
    pub fn tree(&self) -> PathBuf {
        self.directory.path().join("tree")
    }

    /// Where packages go.
    pub fn out(&self) -> PathBuf {
        self.directory.path().join("out")
    }

    /// The package.
    pub fn package(&self) -> PathBuf {
        self.out().join("app.sqfs")
    }

    /// A copy of the program that everybody can reach: where it lies itself may be private.
    ///
    /// Made by cp: what this process had open for writing, a child of another test's thread could inherit at that moment,
    /// and the copy could not be executed (`ETXTBSY`).
    pub fn program(&self) -> PathBuf {
        let program = self.tree().with_file_name("rocker-pack");
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_rocker-pack")).arg(&program);
        assert!(copy.status().unwrap().success());
        program
    }

    /// The names in the package's directory, hidden ones too.
    pub fn left_behind(&self) -> Vec<String> {
        let names = fs::read_dir(self.out()).unwrap();
        names
            .map(|name| name.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

fn sizes(tree: &Path, block: usize) {
    let directory = tree.join("sizes");
    fs::create_dir(&directory).unwrap();
    let near = [
        0,
        1,
        block - 1,
        block,
        block + 1,
        2 * block,
        3 * block + 17,
        8191,
        8192,
        8193,
    ];
    for (seed, size) in (1..).zip(near) {
        fs::write(directory.join(format!("text-{size}")), text(seed, size)).unwrap();
        fs::write(directory.join(format!("noise-{size}")), noise(seed, size)).unwrap();
        fs::write(directory.join(format!("zero-{size}")), vec![0; size]).unwrap();
        fs::write(directory.join(format!("twin-{size}")), text(seed, size)).unwrap();
    }
    // Small files share fragments, and their inodes fill several metadata blocks.
    for seed in 0..700 {
        fs::write(
            directory.join(format!("small-{seed}")),
            text(seed, seed as usize * 3),
        )
        .unwrap();
    }
}

/// Enough names that their directory has headers, several metadata blocks and an index.
fn names(tree: &Path) {
    let large = tree.join("large");
    fs::create_dir(&large).unwrap();
    for number in 0..3000 {
        let path = large.join(format!("{number}-{}", "x".repeat(number % 100)));
        File::create(&path).unwrap();
        // More ids than one metadata block of their table holds.
        chown(&path, Some(number as u32), Some(100_000 + number as u32)).unwrap();
    }
    let odd = tree.join("odd");
    fs::create_dir(&odd).unwrap();
    for name in [
        &b"new\nline"[..],
        b"\xff\xfe",
        b" ",
        b"-",
        b"a,b:c\\",
        "ü€".as_bytes(),
        &[b'n'; 255],
    ] {
        fs::write(odd.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let mut deep = tree.join("deep");
    for _ in 0..600 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), "far down").unwrap();
    fs::create_dir(tree.join("empty")).unwrap();
}

fn holes(tree: &Path, block: usize) {
    let end = 5 * block as u64;
    let file = File::create(tree.join("hole-first")).unwrap();
    file.write_all_at(b"data after a hole", end).unwrap();
    let file = File::create(tree.join("hole-last")).unwrap();
    file.write_all_at(&noise(5, block), 0).unwrap();
    file.set_len(end + 7).unwrap();
    let file = File::create(tree.join("hole-middle")).unwrap();
    file.write_all_at(&noise(6, block + 9), 0).unwrap();
    file.write_all_at(&text(7, block), end).unwrap();
    File::create(tree.join("hole-only"))
        .unwrap()
        .set_len(end + 1)
        .unwrap();
}

fn links(tree: &Path) {
    fs::write(tree.join("odd/linked"), "three names").unwrap();
    fs::hard_link(tree.join("odd/linked"), tree.join("a-link")).unwrap();
    fs::hard_link(tree.join("odd/linked"), tree.join("large/z-link")).unwrap();
    symlink("odd/linked", tree.join("symlink")).unwrap();
    symlink("t".repeat(4095), tree.join("long-symlink")).unwrap();
    fs::hard_link(tree.join("symlink"), tree.join("symlink-twice")).unwrap();
}

fn specials(tree: &Path) {
    let mode = Mode::from_raw_mode(0o640);
    let nodes = [
        ("null", FileType::CharacterDevice, makedev(1, 3)),
        (
            "char-large",
            FileType::CharacterDevice,
            makedev(0xfff, 0xf_ffff),
        ),
        ("whiteout", FileType::CharacterDevice, 0),
        ("block", FileType::BlockDevice, makedev(8, 300)),
        ("fifo", FileType::Fifo, 0),
    ];
    for (name, file_type, device) in nodes {
        mknodat(CWD, tree.join(name), file_type, mode, device).unwrap();
    }
    drop(UnixListener::bind(tree.join("socket")).unwrap());
}

fn identities(tree: &Path) {
    for (name, mode) in [
        ("setuid", 0o4755),
        ("setgid", 0o2711),
        ("none", 0),
        ("all", 0o7777),
    ] {
        let path = tree.join(name);
        fs::write(&path, name).unwrap();
        chown(&path, Some(70_000), Some(u32::MAX - 1)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(tree.join("empty"), fs::Permissions::from_mode(0o1777)).unwrap();
    for id in 0..300 {
        chown(
            tree.join(format!("sizes/small-{id}")),
            Some(id),
            Some(id + 1000),
        )
        .unwrap();
    }
}

fn attributes(tree: &Path) {
    let set = |name: &str, key: &str, value: &[u8]| {
        lsetxattr(tree.join(name), key, value, XattrFlags::empty()).unwrap();
    };
    set("setuid", "user.note", b"kept");
    set("setuid", "user.empty", b"");
    set("setgid", "user.note", b"kept");
    set("empty", "trusted.opaque", b"y");
    set("", "user.root", &[0xaa; 3000]);
    set("symlink", "trusted.link", b"on a symlink");
    set("fifo", "trusted.fifo", b"on a fifo");
    set("null", "trusted.null", b"on a device");
    // cap_net_raw, revision 2, as setcap writes it.
    let capability = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    set("none", "security.capability", &capability);
    // More sets than one metadata block of their table holds.
    for number in 0..700 {
        set(
            &format!("sizes/small-{number}"),
            "user.n",
            format!("value {number}").as_bytes(),
        );
    }
}

fn times(tree: &Path) {
    for (name, seconds) in [
        ("setuid", 0),
        ("none", 1_000_000_000),
        ("all", 4_294_967_295),
    ] {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(tree.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
}
