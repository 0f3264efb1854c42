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

/// An opened package that is what it says it is. The descriptor that was judged is the one that is mounted.
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
        let image = Image::open(path).at(Stage::OPEN_PACKAGE)?;
        let verified = match trust {
            Some(trust) => trust.judge(&image)?,
            None => None,
        };
        let (slot, new) = match cache.find(&PackageId::of(&image.stat)) {
            Some(slot) => (Some(slot), None),
            None => {
                let (format, _) = image.recognise().at(Stage::PACKAGE_FORMAT)?;
                // Of a block device the kernel itself shares the superblock.
                let slot = cache.free().filter(|_| image.stat.is_file());
                (slot, Some(format))
            }
        };
        Ok(Self {
            image,
            slot,
            new,
            verified,
        })
    }

    /// Mounts it, read-only, at the exec directory as the sandbox sees it.
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
        let file = self.new.map(|_| self.image.file);
        Ok(Mounted {
            cached: self.slot.map(|slot| Cached { slot, new: file }),
            verified: self.verified,
        })
    }
}
