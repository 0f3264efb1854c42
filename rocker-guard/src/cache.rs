//! `Cache`: packages that are mounted once and used by more than one sandbox.
//!
//! A package's superblock, its page cache and its loop device cost hundreds of kilobytes and half of a launch. So a package
//! is mounted in a slot of the cache: a directory of a small tmpfs in the master's own mount namespace, whose mounts are
//! shared with the copy that every new guard gets of it (`MS_SHARED`, `mount_namespaces(7)`). The guard that needs a package
//! first mounts it there, and so it appears at the master's; from then on guards find it in their copies. Each binds it to
//! its own exec directory and lets go of its copy of the cache, which no App ever sees.
//!
//! Only propagation does this on every kernel: a mount that hangs nowhere (`open_tree(2)`) can be copied from Linux 6.15 on.

use crate::step::{At, Step};
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::fs::Stat;
use rocker_sys::mount::{self, MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, Mount};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH};
use rocker_sys::{Errno, Fd, ProcPath, Result, StackPath, fs};

/// The number of a slot.
pub type Slot = u8;

/// Which file a package is: another file at the same path is another package, and so is the same file once it was written
/// to.
///
/// The default is no file: none has inode 0. In order: device, inode, size, and the seconds and nanoseconds of when its
/// content changed last, and anything of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackageId([[u8; 8]; 7]);

impl PackageId {
    /// Bytes on the way from guard to master.
    pub const SIZE: usize = 7 * 8;

    /// Of an open file.
    pub fn of(stat: &Stat) -> Self {
        let ([modified_s, modified_ns], [changed_s, changed_ns]) = (stat.modified, stat.changed);
        let all = [
            stat.device,
            stat.inode,
            stat.size,
            modified_s,
            modified_ns,
            changed_s,
            changed_ns,
        ];
        Self(all.map(u64::to_ne_bytes))
    }

    /// As a guard tells it to the master.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// What a guard has told; `None` if it is not so long.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, _) = bytes.as_chunks();
        Some(Self(*numbers.first_chunk()?))
    }
}

/// Where the cache is mounted, in the namespaces of the master and of a guard at work: over a directory that every kernel
/// has and that nobody needs, in a tree that no overlay may cover and that every sandbox gets anew. So no device has to
/// have a directory for it, and nothing of it can come to light in a sandbox.
pub const CACHE_DIR: &CStr = c"/proc/driver";

/// What is in the cache when the guard is cloned, and where there is room.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'a> {
    /// By slot: the package that is mounted there.
    pub packages: &'a [Option<PackageId>],
    /// A slot that is kept for this guard, if there is one.
    pub free: Option<Slot>,
}

/// The guard's own copy of the cache.
pub(crate) struct OpenCache<'a> {
    cache: &'a Cache<'a>,
    dir: Fd,
}

impl<'a> OpenCache<'a> {
    pub(crate) fn open(cache: &'a Cache<'a>) -> Step<Self> {
        let dir = fs::open(CACHE_DIR, O_PATH | O_DIRECTORY).at(Stage::PACKAGE_CACHE)?;
        Ok(Self { cache, dir })
    }

    /// The slot of this package.
    pub(crate) fn find(&self, package: &PackageId) -> Option<Slot> {
        let mut slots = (0..).zip(self.cache.packages);
        let (slot, _) = slots.find(|(_, id)| id.as_ref() == Some(package))?;
        Some(slot)
    }

    /// The slot that is kept for this guard.
    pub(crate) fn free(&self) -> Option<Slot> {
        self.cache.free
    }

    /// The root of what is mounted in this slot, or its directory.
    fn at(&self, slot: Slot) -> Result<Fd> {
        let name = name(slot)?;
        fs::openat(self.dir.raw(), name.as_c_str(), O_PATH | O_DIRECTORY, 0)
    }

    /// The slot's directory, to be mounted on. It stays for the next package.
    pub(crate) fn make(&self, slot: Slot) -> Result<Fd> {
        match fs::mkdirat(self.dir.raw(), name(slot)?.as_c_str(), 0o700) {
            Ok(()) | Err(Errno::EEXIST) => self.at(slot),
            Err(errno) => Err(errno),
        }
    }

    /// Binds what is mounted in this slot. A bind has the flags of what it copies.
    pub(crate) fn bind(&self, slot: Slot, target: &Fd) -> Result<()> {
        Mount {
            source: Some(ProcPath::new(self.at(slot)?.raw()).as_c_str()),
            flags: MS_BIND,
            ..Mount::default()
        }
        .at(ProcPath::new(target.raw()).as_c_str())
    }

    /// Nothing that happens to this copy reaches the others any more, nor does it hear of them.
    pub(crate) fn cut_off(&self) -> Result<()> {
        Mount {
            flags: MS_REC | MS_PRIVATE,
            ..Mount::default()
        }
        .at(ProcPath::new(self.dir.raw()).as_c_str())
    }

    /// Takes it out of this mount namespace. It must have been cut off.
    pub(crate) fn leave(self) -> Result<()> {
        mount::umount(ProcPath::new(self.dir.raw()).as_c_str(), MNT_DETACH)
    }
}

fn name(slot: Slot) -> Result<StackPath<8>> {
    StackPath::numbered(b"", slot.into(), b"")
}
