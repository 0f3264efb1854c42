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
