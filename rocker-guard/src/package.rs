//! `Package`: an image, and where its mount comes from: the cache, or this guard.

use crate::cache::{OpenCache, PackageId, Slot};
use crate::image::Image;
use crate::resolve;
use crate::step::{At, Step};
use crate::superblock::Format;
use crate::trust::Trust;
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::Fd;
use rocker_sys::raw::general::O_DIRECTORY;

/// A package that is what it says it is. The descriptor that was judged is the one that is mounted.
pub(crate) struct Package {
    image: Image,
    /// Where it is mounted in the cache, or will be; `None`: it is this sandbox's alone.
    slot: Option<Slot>,
    /// What is to be mounted; `None`: it is in the cache already, so it has been judged.
    new: Option<Format>,
    /// It was found to be signed, just now.
    verified: Option<PackageId>,
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
        let image = Image::at(path).at(Stage::OPEN_PACKAGE)?;
        let mut package = Self {
            slot: cache.find(&PackageId::of(image.stat())),
            image,
            new: None,
            verified: None,
        };
        let image = &mut package.image;
        let unsure = trust.filter(|trust| !trust.knows(image.stat()));
        if package.slot.is_some() && unsure.is_none() {
            return Ok(package);
        }
        image.open().at(Stage::OPEN_PACKAGE)?;
        if let Some(trust) = unsure {
            package.verified = trust.judge(image)?;
        }
        if package.slot.is_none() {
            let (format, _) = image.recognise().at(Stage::PACKAGE_FORMAT)?;
            package.new = Some(format);
            // Of a block device the kernel itself shares the superblock.
            package.slot = cache.free().filter(|_| image.stat().is_file());
        }
        Ok(package)
    }

    /// Mounts it, read-only, at the exec directory as the sandbox sees it.
    #[inline(never)] // smaller by itself
    pub(crate) fn mount(self, exec_dir: &CStr, cache: OpenCache<'_>) -> Step<Mounted> {
        let new = self.new.map(|format| (&self.image, format));
        let shared = cache.take(self.slot, new)?;
        let dir = resolve::open(exec_dir, O_DIRECTORY).at(Stage::OPEN_EXEC_DIR)?;
        if let Some(shared) = shared {
            shared.hang(&dir).at(Stage::MOUNT_PACKAGE)?;
        } else if let Some((image, format)) = new {
            image.mount(format, &dir)?;
        }
        cache.leave().at(Stage::PACKAGE_CACHE)?;
        let file = self.new.map(|_| self.image.into_file());
        Ok(Mounted {
            cached: self.slot.map(|slot| Cached { slot, new: file }),
            verified: self.verified,
        })
    }
}
