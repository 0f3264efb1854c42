//! `Cache`: packages that are mounted once and used by more than one sandbox.
//!
//! A package's superblock, its page cache and its loop device cost hundreds of kilobytes and half of a launch. So a package
//! is mounted in a slot of the cache: a directory of a small tmpfs in a mount namespace of its own, the cache's *home*. The
//! guard that needs a package first mounts it there. From then on each guard goes there for a copy of that one mount
//! (`open_tree(2)`), comes back, and hangs it at its own exec directory. No App ever sees the cache.
//!
//! Before Linux 5.2 there are no such copies. There the cache is in the master's own namespace, and its mounts are shared with
//! the copy that every guard gets of it (`MS_SHARED`, `mount_namespaces(7)`), so that what one mounts appears at the others
//! too. Each binds what it wants and lets go of the rest, for which the kernel makes it wait for a grace period of RCU
//! (`namespace_unlock` in `fs/namespace.c`): longer than all of the above takes.
//!
//! A mount that hangs nowhere at all can be copied from Linux 6.15 on.
#![allow(unsafe_code)]

use crate::Place;
use crate::image::Image;
use crate::step::{At, Step};
use crate::superblock::Format;
use core::ffi::CStr;
use rocker_proto::{Failure, Stage};
use rocker_sys::fs::Stat;
use rocker_sys::mount::{self, MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, Mount};
use rocker_sys::namespace::{self, CLONE_NEWNS};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH};
use rocker_sys::{Errno, Fd, OLD_KERNELS, ProcPath, RawFd, Result, StackPath, fs};

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

/// Where the cache is mounted: over a directory that every kernel has and that nobody needs, in a tree that no overlay may
/// cover and that every sandbox gets anew. So no device has to have a directory for it, and nothing of it can come to light
/// in a sandbox.
pub const CACHE_DIR: &CStr = c"/proc/driver";

/// Where what is in this slot is mounted.
///
/// # Errors
/// None: every number fits.
pub fn slot_path(slot: u32) -> Result<StackPath<32>> {
    StackPath::numbered(b"/proc/driver/", slot, b"")
}

/// What is in the cache when the guard is cloned, and where there is room.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'a> {
    /// By slot: the package that is mounted there.
    pub packages: &'a [Option<PackageId>],
    /// A slot that is kept for this guard, if there is one.
    pub free: Option<Slot>,
    /// Where it is, if single mounts can be fetched from there. Else the guard's own mount namespace has a copy of it.
    pub home: Option<Home>,
}

/// The cache's home. The guard closes its copies of these descriptors when it has the package.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    /// The mount namespace.
    pub namespace: RawFd,
    /// The cache's directory in it.
    pub dir: RawFd,
}

/// The cache, within the guard's reach.
pub(crate) struct OpenCache<'a> {
    cache: &'a Cache<'a>,
    /// Its directory: at home, or this guard's copy.
    dir: Fd,
    /// The mount namespace of its home, and where this guard is.
    home: Option<(Fd, Place)>,
}

/// A package's mount, in the cache or copied from there.
pub(crate) struct Shared {
    tree: Fd,
    hangs_nowhere: bool,
}

impl<'a> OpenCache<'a> {
    /// # Safety
    /// Once: the descriptors of the home are owned by what comes back.
    pub(crate) unsafe fn open(cache: &'a Cache<'a>) -> Result<Self> {
        // SAFETY: the caller's promise.
        let own = |fd: RawFd| unsafe { Fd::from_raw(fd) };
        let (dir, home) = match cache.home {
            Some(home) => {
                let here = Place::here()?;
                (own(home.dir), Some((own(home.namespace), here)))
            }
            None => (fs::open(CACHE_DIR, O_PATH | O_DIRECTORY)?, None),
        };
        Ok(Self { cache, dir, home })
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

    /// What is mounted in this slot, if one is used; a new package is mounted there first.
    pub(crate) fn take(
        &self,
        slot: Option<Slot>,
        new: Option<(&Image, Format)>,
    ) -> Step<Option<Shared>> {
        match (&self.home, slot) {
            (Some((home, here)), Some(slot)) => {
                namespace::setns(home.raw(), CLONE_NEWNS).at(Stage::PACKAGE_CACHE)?;
                self.fill(slot, new)?;
                let tree = self.copy(slot).at(Stage::PACKAGE_CACHE)?;
                here.go().at(Stage::PACKAGE_CACHE)?;
                Ok(Some(Shared {
                    tree,
                    hangs_nowhere: true,
                }))
            }
            (Some(_), None) => Ok(None),
            (None, slot) if OLD_KERNELS => self.find_copy(slot, new),
            (None, _) => Err(Failure::of(Stage::PACKAGE_CACHE, Errno::ENOSYS)),
        }
    }

    fn copy(&self, slot: Slot) -> Result<Fd> {
        mount::copy_tree(self.dir.raw(), name(slot)?.as_c_str())
    }

    /// After that, nothing that happens to this copy of the cache reaches the others any more, nor does it hear of them.
    fn find_copy(&self, slot: Option<Slot>, new: Option<(&Image, Format)>) -> Step<Option<Shared>> {
        if let Some(slot) = slot {
            self.fill(slot, new)?;
        }
        let private = Mount {
            flags: MS_REC | MS_PRIVATE,
            ..Mount::default()
        };
        let dir = ProcPath::new(self.dir.raw());
        private.at(dir.as_c_str()).at(Stage::PACKAGE_CACHE)?;
        let tree = slot.map(|slot| self.at(slot)).transpose();
        Ok(tree.at(Stage::MOUNT_PACKAGE)?.map(|tree| Shared {
            tree,
            hangs_nowhere: false,
        }))
    }

    fn fill(&self, slot: Slot, new: Option<(&Image, Format)>) -> Step {
        match new {
            Some((image, format)) => {
                let dir = self.make(slot).at(Stage::PACKAGE_CACHE)?;
                image.mount(format, &dir)
            }
            None => Ok(()),
        }
    }

    /// The root of what is mounted in this slot, or its directory.
    fn at(&self, slot: Slot) -> Result<Fd> {
        let name = name(slot)?;
        fs::openat(self.dir.raw(), name.as_c_str(), O_PATH | O_DIRECTORY, 0)
    }

    /// The slot's directory, to be mounted on. It stays for the next package.
    fn make(&self, slot: Slot) -> Result<Fd> {
        match fs::mkdirat(self.dir.raw(), name(slot)?.as_c_str(), 0o700) {
            Ok(()) | Err(Errno::EEXIST) => self.at(slot),
            Err(errno) => Err(errno),
        }
    }

    /// If there is a copy of it in this mount namespace, it goes. It must have been taken from.
    pub(crate) fn leave(self) -> Result<()> {
        match self.home {
            Some(_) => Ok(()),
            None => mount::umount(CACHE_DIR, MNT_DETACH),
        }
    }
}

impl Shared {
    /// Hangs it on a directory. It has the flags of what it is a copy of.
    pub(crate) fn hang(&self, dir: &Fd) -> Result<()> {
        if self.hangs_nowhere || !OLD_KERNELS {
            return mount::hang_tree(&self.tree, dir);
        }
        Mount {
            source: Some(ProcPath::new(self.tree.raw()).as_c_str()),
            flags: MS_BIND,
            ..Mount::default()
        }
        .at(ProcPath::new(dir.raw()).as_c_str())
    }
}

fn name(slot: Slot) -> Result<StackPath<8>> {
    StackPath::numbered(b"", slot.into(), b"")
}
