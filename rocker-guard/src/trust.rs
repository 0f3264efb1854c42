//! `Trust`: whether a package comes from whom this device trusts.
//!
//! What is checked is the opened file that is mounted afterwards, before anything else of it is read and before the kernel
//! gets to parse it. So that it stays what it was when it was checked, only root may be able to write to it. A root that
//! writes to a signed package is not kept from it, nor a disk that gives other bytes the next time: fs-verity and dm-verity
//! are, which check each block whenever it is read.

use crate::image::Image;
use crate::step::{At, Step};
use crate::{PackageId, keys};
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_signature::{Check, Footer, PAGE, PublicKey, Unsigned};
use rocker_sys::fs::Stat;
use rocker_sys::{Errno, Result, fs};

/// How much is read at once: enough to make the calls cheap, and little enough for the stack.
const PIECE: usize = 32 * 1024;

/// A signature is required.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The directory of trusted keys.
    pub keys: &'a CStr,
    /// Packages that were found to be signed by one of them.
    pub verified: &'a [PackageId],
}

impl Trust<'_> {
    /// Is it known to be signed? Of a file alone one can know: nothing tells whether a block device was written to, so one
    /// is read anew for each launch.
    pub(crate) fn knows(&self, package: &Stat) -> bool {
        package.is_file() && self.verified.contains(&PackageId::of(package))
    }

    /// Gives the package to be remembered, if that can be.
    pub(crate) fn judge(&self, image: &Image) -> Step<Option<PackageId>> {
        self.verify(image).at(Stage::PACKAGE_SIGNATURE)?;
        let is_file = image.stat().is_file();
        Ok(is_file.then(|| PackageId::of(image.stat())))
    }

    // A frame of its own: most launches need not touch it.
    #[inline(never)]
    fn verify(&self, image: &Image) -> Result<()> {
        only_root_can_write(image)?;
        let signed = signed_length(image)?;
        let mut page = [0; PAGE];
        if fs::read_at(image.file().raw(), &mut page, signed)? < PAGE {
            return Err(Errno::ENODATA);
        }
        let footer = Footer::decode(&page, signed).map_err(|why| match why {
            Unsigned::Missing => Errno::ENODATA,
            Unsigned::Damaged => Errno::EBADMSG,
        })?;
        let key = keys::find(self.keys, footer.key)?;
        if !content_holds(image, &footer, &key)? || !footer.comment_holds(&key) {
            return Err(Errno::EKEYREJECTED);
        }
        // It must not have changed meanwhile, or else what is remembered would be another package.
        if fs::fstat(image.file().raw())?.changed != image.stat().changed {
            return Err(Errno::ETXTBSY);
        }
        Ok(())
    }
}

/// Else it could be another package by the time that the kernel reads it.
fn only_root_can_write(image: &Image) -> Result<()> {
    if !image.stat().is_root_s_alone() {
        return Err(Errno::EPERM);
    }
    // Somebody may have opened it while it was his. Where the file system does not tell, nobody can be asked.
    if image.stat().is_file() && fs::has_writers(image.file().raw()) == Some(true) {
        return Err(Errno::ETXTBSY);
    }
    Ok(())
}

/// A file's footer is at its end. A device is larger than what was written to it, so there the superblock must be asked.
fn signed_length(image: &Image) -> Result<u64> {
    let length = if image.stat().is_file() {
        image.stat().size.checked_sub(PAGE as u64)
    } else {
        let (_, used) = image.recognise()?;
        used.checked_next_multiple_of(PAGE as u64)
    };
    length.ok_or(Errno::ENODATA)
}

fn content_holds(image: &Image, footer: &Footer<'_>, key: &PublicKey) -> Result<bool> {
    let mut check = Check::new(key, footer.signature);
    let mut piece = [0; PIECE];
    let mut at = 0u64;
    while at < footer.signed {
        let left = footer.signed.saturating_sub(at).min(PIECE as u64);
        let room = piece.get_mut(..left as usize).unwrap_or_default();
        let read = fs::read_at(image.file().raw(), room, at)?;
        if read == 0 {
            return Err(Errno::ENODATA);
        }
        check.absorb(room.get(..read).unwrap_or_default());
        at = at.saturating_add(read as u64);
    }
    Ok(check.holds())
}
