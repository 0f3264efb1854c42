//! `Package`: the App's file system image.

use crate::Defence;
use crate::cache::{OpenCache, PackageId, Slot};
use crate::resolve;
use crate::step::{At, Step};
use crate::superblock::{self, Format};
use crate::trust::Trust;
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::fs::Stat;
use rocker_sys::loop_device::LoopDevice;
use rocker_sys::mount::{MS_NODEV, MS_NOSUID, MS_RDONLY, Mount};
use rocker_sys::raw::general::{O_DIRECTORY, O_RDONLY};
use rocker_sys::{Errno, Fd, ProcPath, Result, block_device, fs};

/// An opened package that is what it says it is. The descriptor that was judged is the one that is mounted.
pub(crate) struct Package {
    image: Image,
    source: Source,
    /// It was found to be signed, just now.
    verified: Option<PackageId>,
}

/// Where its mount comes from.
#[derive(Clone, Copy)]
enum Source {
    /// It is mounted in the cache, so it has been judged.
    Cache(Slot),
    /// It is to be mounted there, and then as above.
    New(Format, Slot),
    /// It is this sandbox's alone.
    Own(Format),
}

/// A slot of the cache that this sandbox uses, and the file that was mounted there if this guard did it.
pub(crate) struct Cached {
    pub(crate) slot: Slot,
    pub(crate) new: Option<Fd>,
}

/// What the master is to know of it.
pub(crate) struct Mounted {
    pub(crate) cached: Option<Cached>,
    pub(crate) verified: Option<PackageId>,
}

impl Package {
    /// Whom it comes from is asked before it is looked at in any other way, and of a mounted one too.
    pub(crate) fn open(
        path: &CStr,
        cache: &OpenCache<'_>,
        trust: Option<&Trust<'_>>,
    ) -> Step<Self> {
        let image = Image::open(path).at(Stage::OPEN_PACKAGE)?;
        let verified = match trust {
            Some(trust) => trust.judge(&image)?,
            None => None,
        };
        let source = if let Some(slot) = cache.find(&PackageId::of(&image.stat)) {
            Source::Cache(slot)
        } else {
            let (format, _) = image.recognise().at(Stage::PACKAGE_FORMAT)?;
            // Of a block device the kernel itself shares the superblock.
            let slot = cache.free().filter(|_| image.stat.is_file());
            slot.map_or(Source::Own(format), |slot| Source::New(format, slot))
        };
        Ok(Self {
            image,
            source,
            verified,
        })
    }

    /// Mounts it, read-only, at the exec directory as the sandbox sees it.
    pub(crate) fn mount(self, exec_dir: &CStr, cache: OpenCache<'_>) -> Step<Mounted> {
        if let Source::New(format, slot) = self.source {
            let dir = cache.make(slot).at(Stage::PACKAGE_CACHE)?;
            self.image.mount(format, &dir)?;
        }
        cache.cut_off().at(Stage::PACKAGE_CACHE)?;
        let dir = resolve::open(exec_dir, O_DIRECTORY).at(Stage::OPEN_EXEC_DIR)?;
        let cached = match self.source {
            Source::Own(format) => {
                self.image.mount(format, &dir)?;
                None
            }
            Source::Cache(slot) => Some(Cached { slot, new: None }),
            Source::New(_, slot) => Some(Cached {
                slot,
                new: Some(self.image.file),
            }),
        };
        if let Some(Cached { slot, .. }) = cached {
            cache.bind(slot, &dir).at(Stage::MOUNT_PACKAGE)?;
        }
        cache.leave().at(Stage::PACKAGE_CACHE)?;
        Ok(Mounted {
            cached,
            verified: self.verified,
        })
    }
}

/// What holds the file system: a file, or a block device of flash (`mtdblock`, `ubiblock`) or disk.
pub(crate) struct Image {
    pub(crate) file: Fd,
    pub(crate) stat: Stat,
}

impl Image {
    /// Its type is known before it is opened for real: opening a FIFO or a terminal may block or have effects.
    fn open(path: &CStr) -> Result<Self> {
        let found = resolve::open(path, 0)?;
        let mut stat = fs::fstat(found.raw())?;
        if stat.is_dir() {
            return Err(Errno::EISDIR);
        }
        if !stat.is_file() && !stat.is_block_device() {
            return Err(Errno::EMEDIUMTYPE);
        }
        let file = fs::open(ProcPath::new(found.raw()).as_c_str(), O_RDONLY)?;
        if stat.is_block_device() {
            stat.size = block_device::size(file.raw())?;
        }
        Ok(Self { file, stat })
    }

    /// What it is, and how many bytes of the file or device it says to have.
    pub(crate) fn recognise(&self) -> Result<(Format, u64)> {
        if !Defence::Superblock.stands() {
            return Ok((Format::Squashfs, self.stat.size));
        }
        let mut head = [0; superblock::HEAD];
        // Of a file and of a device as much comes as there is.
        let len = fs::read_at(self.file.raw(), &mut head, 0)?;
        superblock::recognise(head.get(..len).unwrap_or_default(), self.stat.size)
    }

    /// Mounts it at a directory, by a loop device where the kernel wants a block device and this is none.
    fn mount(&self, format: Format, dir: &Fd) -> Step {
        let itself = ProcPath::new(self.file.raw());
        if self.stat.is_block_device() {
            return mount_from(itself.as_c_str(), format, dir).at(Stage::MOUNT_PACKAGE);
        }
        if format == Format::Erofs {
            // From 6.12 erofs reads the file itself (CONFIG_EROFS_FS_BACKED_BY_FILE); before, it wants a block device.
            match mount_from(itself.as_c_str(), format, dir) {
                Err(Errno::ENOTBLK) => {}
                result => return result.at(Stage::MOUNT_PACKAGE),
            }
        }
        let device = LoopDevice::attach(self.file.raw()).at(Stage::LOOP_DEVICE)?;
        mount_from(device.path(), format, dir).at(Stage::MOUNT_PACKAGE)
    }
}

fn mount_from(source: &CStr, format: Format, dir: &Fd) -> Result<()> {
    let fs_type = match format {
        Format::Squashfs => c"squashfs",
        Format::Erofs => c"erofs",
    };
    let nodev = if Defence::Nodev.stands() { MS_NODEV } else { 0 };
    Mount {
        source: Some(source),
        fs_type: Some(fs_type),
        flags: MS_RDONLY | MS_NOSUID | nodev,
        data: None,
    }
    .at(ProcPath::new(dir.raw()).as_c_str())
}
