//! `Package`: the App's file system image.

use crate::resolve;
use crate::step::{At, Step};
use crate::superblock::{self, Format};
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::loop_device::LoopDevice;
use rocker_sys::mount::{MS_NODEV, MS_NOSUID, MS_RDONLY, Mount};
use rocker_sys::raw::general::{O_DIRECTORY, O_RDONLY};
use rocker_sys::{Errno, Fd, ProcPath, Result, fs};

/// An opened package that is what it says it is. The descriptor that was judged is the one that is mounted.
pub(crate) struct Package {
    file: Fd,
    format: Format,
}

impl Package {
    pub(crate) fn open(path: &CStr) -> Step<Self> {
        let file = open_file(path).at(Stage::OPEN_PACKAGE)?;
        let format = recognise(&file).at(Stage::PACKAGE_FORMAT)?;
        Ok(Self { file, format })
    }

    /// Mounts it, read-only, at the exec directory as the sandbox sees it.
    pub(crate) fn mount(&self, exec_dir: &CStr) -> Step {
        let dir = resolve::open(exec_dir, O_DIRECTORY).at(Stage::OPEN_EXEC_DIR)?;
        let target = ProcPath::new(dir.raw());
        if self.format == Format::Erofs {
            // From 6.12 erofs reads the file itself (CONFIG_EROFS_FS_BACKED_BY_FILE); before, it wants a block device.
            match self.mount_from(ProcPath::new(self.file.raw()).as_c_str(), &target) {
                Err(Errno::ENOTBLK) => {}
                result => return result.at(Stage::MOUNT_PACKAGE),
            }
        }
        let device = LoopDevice::attach(self.file.raw()).at(Stage::LOOP_DEVICE)?;
        self.mount_from(device.path(), &target)
            .at(Stage::MOUNT_PACKAGE)
    }

    fn mount_from(&self, source: &CStr, target: &ProcPath) -> Result<()> {
        let fs_type = match self.format {
            Format::Squashfs => c"squashfs",
            Format::Erofs => c"erofs",
        };
        let flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
        Mount {
            source: Some(source),
            fs_type: Some(fs_type),
            flags,
            data: None,
        }
        .at(target.as_c_str())
    }
}

/// Opens a regular file for reading. Its type is known before it is opened for real: opening a FIFO or a device may block
/// or have effects.
fn open_file(path: &CStr) -> Result<Fd> {
    let found = resolve::open(path, 0)?;
    let stat = fs::fstat(found.raw())?;
    if stat.is_dir() {
        return Err(Errno::EISDIR);
    }
    if !stat.is_file() {
        return Err(Errno::EMEDIUMTYPE);
    }
    fs::open(ProcPath::new(found.raw()).as_c_str(), O_RDONLY)
}

fn recognise(file: &Fd) -> Result<Format> {
    let size = fs::fstat(file.raw())?.size;
    let mut head = [0; superblock::HEAD];
    let mut len = 0usize;
    loop {
        let room = head.get_mut(len..).unwrap_or_default();
        if room.is_empty() {
            break;
        }
        match fs::read(file.raw(), room)? {
            0 => break,
            read => len = len.saturating_add(read),
        }
    }
    superblock::recognise(head.get(..len).unwrap_or_default(), size)
}
