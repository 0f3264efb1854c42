//! `Image`: the App's file system, opened.

use crate::Defence;
use crate::resolve::Found;
use crate::step::{At, Step};
use crate::superblock::{self, Format};
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::fs::Stat;
use rocker_sys::loop_device::LoopDevice;
use rocker_sys::mount::{MS_NODEV, MS_NOSUID, MS_RDONLY, Mount};
use rocker_sys::{Errno, Fd, ProcPath, Result, block_device, fs};

/// What holds the file system: a file, or a block device of flash (`mtdblock`, `ubiblock`) or disk.
pub(crate) struct Image(Found);

impl Image {
    /// What is at this path: to be identified, and then opened.
    pub(crate) fn at(path: &CStr) -> Result<Self> {
        Found::at(path).map(Self)
    }

    /// # Errors
    /// `EISDIR`, `EMEDIUMTYPE`: it is neither a file nor a block device.
    pub(crate) fn open(&mut self) -> Result<()> {
        let Self(found) = self;
        if !found.stat.is_file() && !found.stat.is_block_device() {
            return Err(if found.stat.is_dir() {
                Errno::EISDIR
            } else {
                Errno::EMEDIUMTYPE
            });
        }
        found.open()?;
        if found.stat.is_block_device() {
            found.stat.size = block_device::size(found.file.raw())?;
        }
        Ok(())
    }

    pub(crate) fn file(&self) -> &Fd {
        &self.0.file
    }

    pub(crate) fn stat(&self) -> &Stat {
        &self.0.stat
    }

    pub(crate) fn into_file(self) -> Fd {
        self.0.file
    }

    /// What it is, and how many bytes of the file or device it says to have.
    pub(crate) fn recognise(&self) -> Result<(Format, u64)> {
        if !Defence::Superblock.stands() {
            return Ok((Format::Squashfs, self.stat().size));
        }
        let mut head = [0; superblock::HEAD];
        // Of a file and of a device as much comes as there is.
        let len = fs::read_at(self.file().raw(), &mut head, 0)?;
        superblock::recognise(head.get(..len).unwrap_or_default(), self.stat().size)
    }

    /// Mounts it at a directory, by a loop device where the kernel wants a block device and this is none.
    pub(crate) fn mount(&self, format: Format, dir: &Fd) -> Step {
        let itself = ProcPath::new(self.file().raw());
        if self.stat().is_block_device() {
            return mount_from(itself.as_c_str(), format, dir).at(Stage::MOUNT_PACKAGE);
        }
        if format == Format::Erofs {
            // From 6.12 erofs reads the file itself (CONFIG_EROFS_FS_BACKED_BY_FILE); before, it wants a block device.
            match mount_from(itself.as_c_str(), format, dir) {
                Err(Errno::ENOTBLK) => {}
                result => return result.at(Stage::MOUNT_PACKAGE),
            }
        }
        let device = LoopDevice::attach(self.file().raw()).at(Stage::LOOP_DEVICE)?;
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
