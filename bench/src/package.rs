//! `Packages`: one tree with a static program in it, in every format.

use rocker_pack::{Compression, Options};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names of formats, their compressions and block sizes. "gzip" is what the floor is measured on.
pub const FORMATS: [(&str, Compression, u32); 8] = [
    ("zstd", Compression::Zstd, 64 << 10),
    ("zstd 1M", Compression::Zstd, 1 << 20),
    ("lz4", Compression::Lz4, 64 << 10),
    ("lz4 128K", Compression::Lz4, 128 << 10),
    ("lzo", Compression::Lzo, 128 << 10),
    ("xz", Compression::Xz, 128 << 10),
    ("none", Compression::None, 128 << 10),
    ("gzip", Compression::Gzip, 128 << 10),
];

/// The packages of a world.
#[derive(Debug)]
pub struct Packages {
    dir: PathBuf,
}

impl Packages {
    /// Makes the tree: `busybox`, static, about 2 MB. It is packed when somebody asks for a package.
    pub(crate) fn make(dir: &Path) -> Self {
        let tree = dir.join("tree");
        fs::create_dir_all(&tree).expect("a directory");
        let busybox = ["/usr/bin/busybox", "/bin/busybox"]
            .iter()
            .find(|path| Path::new(path).exists())
            .expect("a static busybox is installed (busybox-static)");
        fs::copy(busybox, tree.join("busybox")).expect("a copy");
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The program in the tree.
    pub fn busybox(&self) -> PathBuf {
        self.dir.join("tree/busybox")
    }

    /// The squashfs package with this name from [`FORMATS`].
    pub fn squashfs(&self, name: &str) -> PathBuf {
        let package = self.dir.join(name.replace(' ', "-"));
        if !package.exists() {
            let known = FORMATS.into_iter().find(|(known, ..)| *known == name);
            let (_, compression, block_size) = known.expect("a name of FORMATS");
            let mut options = Options::new(self.dir.join("tree"), &package);
            options.compression = compression;
            options.block_size = block_size;
            rocker_pack::build(&options).expect("a package");
        }
        package
    }

    /// A copy of a package that only Rocker is given. It keeps it mounted, and whoever waits for a loop device to be free
    /// would wait for that.
    pub fn own(&self, name: &str) -> PathBuf {
        let package = self.squashfs(name);
        let own = package.with_extension("own");
        if !own.exists() {
            fs::copy(package, &own).expect("a copy");
        }
        own
    }

    /// The same tree as erofs (lz4hc), if `mkfs.erofs` is installed.
    pub fn erofs(&self) -> Option<PathBuf> {
        let image = self.dir.join("erofs");
        if !image.exists() {
            let mut command = Command::new("mkfs.erofs");
            command.args(["-zlz4hc", "-Enoinline_data"]);
            command.arg(&image).arg(self.dir.join("tree"));
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().ok().filter(|status| status.success())?;
        }
        Some(image)
    }
}
