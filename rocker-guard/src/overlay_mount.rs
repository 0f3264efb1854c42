//! `OverlayMount`: one overlay, from its descriptors to `mount(2)`.
//!
//! Every directory goes to the kernel as a descriptor: characters of a path mean nothing, and nothing is resolved twice. As
//! the working directory is `/proc/self/fd` meanwhile, each of them is one name to look up, and not four.

use crate::layers::Layers;
use crate::step::{At, Step};
use crate::work_dir;
use rocker_proto::Stage;
use rocker_sys::mount::{MS_NODEV, MS_NOSUID, Mount};
use rocker_sys::{Decimal, Errno, Fd, Result, StackPath, fs};

/// What is mounted where.
pub(crate) struct OverlayMount<'a> {
    pub(crate) lower: &'a Fd,
    pub(crate) layers: &'a Layers,
    pub(crate) target: &'a Fd,
    /// Without the durability: `volatile` of overlayfs (5.10).
    pub(crate) volatile: bool,
}

/// Descriptors become names for as long as this lives.
pub(crate) struct ByNumber(());

impl ByNumber {
    pub(crate) fn enter() -> Step<Self> {
        fs::chdir(c"/proc/self/fd").at(Stage::LAYERS)?;
        Ok(Self(()))
    }
}

impl Drop for ByNumber {
    fn drop(&mut self) {
        // There always is a root directory.
        fs::chdir(c"/").unwrap_or_default();
    }
}

impl OverlayMount<'_> {
    /// Mounts it.
    ///
    /// Overlayfs refuses a work directory (`EINVAL`) that a volatile mount has used and nobody has cleared since. It refuses
    /// `volatile` in the same way where it does not know it; then the overlay is an ordinary one, which is more than was
    /// asked for.
    pub(crate) fn mount(&self, _names: &ByNumber) -> Result<()> {
        if self.volatile {
            // A refused mount costs more than to look first.
            work_dir::clear_mark(&self.layers.work)?;
            match self.try_mount(b",volatile") {
                Err(Errno::EINVAL) => {}
                result => return result,
            }
        }
        match self.try_mount(b"") {
            Err(Errno::EINVAL) if work_dir::clear_mark(&self.layers.work)? => self.try_mount(b""),
            result => result,
        }
    }

    fn try_mount(&self, more: &[u8]) -> Result<()> {
        let [lower, upper, work, target] = [
            self.lower,
            &self.layers.upper,
            &self.layers.work,
            self.target,
        ]
        .map(|fd| Decimal::of(fd.raw().unsigned_abs()));
        let data = StackPath::<96>::of(&[
            b"lowerdir=",
            lower.as_bytes(),
            b",upperdir=",
            upper.as_bytes(),
            b",workdir=",
            work.as_bytes(),
            more,
        ])?;
        let target = StackPath::<16>::of(&[target.as_bytes()])?;
        Mount {
            source: Some(c"rocker"),
            fs_type: Some(c"overlay"),
            flags: MS_NOSUID | MS_NODEV,
            data: Some(data.as_c_str()),
        }
        .at(target.as_c_str())
    }
}
