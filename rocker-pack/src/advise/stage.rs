//! A mount namespace of one thread's own, and packages mounted in it, as on the device.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rocker_sys::loop_device::LoopDevice;
use rocker_sys::mount::{
    MNT_DETACH, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, Mount, umount,
};
use rocker_sys::{Errno, namespace};

use crate::advise::image::Image;

/// Where packages are mounted: over a directory that exists, which no other process sees happen. The
/// namespace ends with its last process, so nobody has to clean up after any death.
pub(crate) struct Stage {
    point: CString,
    root: PathBuf,
}

impl Stage {
    /// Puts the calling thread into a mount namespace of its own. Or says, for people, why not.
    pub(crate) fn enter(directory: &Path) -> Result<Self, String> {
        let failed = |what: &str, errno: Errno| match errno {
            Errno::EPERM => format!("measuring needs root ({what}: EPERM)"),
            errno => format!(
                "measuring needs mounts of its own ({what}: {})",
                errno.name()
            ),
        };
        let root = directory
            .canonicalize()
            .map_err(|e| format!("{directory:?}: {e}"))?;
        let point = CString::new(root.as_os_str().as_bytes())
            .map_err(|_| format!("{directory:?}: a NUL in the path"))?;
        namespace::unshare(namespace::CLONE_NEWNS).map_err(|errno| failed("unshare", errno))?;
        let private = Mount {
            flags: MS_REC | MS_PRIVATE,
            ..Mount::default()
        };
        private.at(c"/").map_err(|errno| failed("mount", errno))?;
        Ok(Self { point, root })
    }

    /// The root of the package that was mounted last.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Mounts a package, over others if there are any. Or says, for people, why not.
    pub(crate) fn mount(&self, image: &Image) -> Result<Mounted<'_>, String> {
        match image.candidate.file_system() {
            "erofs" => self.mount_erofs(&image.file),
            _ => self.mount_by_loop(c"squashfs", &image.file),
        }
        .map(|()| Mounted { stage: self })
    }

    /// From 6.12 the file itself, as the guard does.
    fn mount_erofs(&self, file: &File) -> Result<(), String> {
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let path = CString::new(path).map_err(|e| e.to_string())?;
        match self.mount_source(c"erofs", &path) {
            Err(Errno::ENOTBLK) => self.mount_by_loop(c"erofs", file),
            result => result.map_err(|errno| refused(c"erofs", errno)),
        }
    }

    fn mount_by_loop(&self, fs_type: &'static CStr, file: &File) -> Result<(), String> {
        let device = LoopDevice::attach(file.as_raw_fd())
            .map_err(|errno| format!("no loop device: {}", errno.name()))?;
        self.mount_source(fs_type, device.path())
            .map_err(|errno| refused(fs_type, errno))
    }

    fn mount_source(&self, fs_type: &CStr, source: &CStr) -> rocker_sys::Result<()> {
        let mount = Mount {
            source: Some(source),
            fs_type: Some(fs_type),
            flags: MS_RDONLY | MS_NOSUID | MS_NODEV,
            data: None,
        };
        mount.at(&self.point)
    }
}

fn refused(fs_type: &CStr, errno: Errno) -> String {
    let fs_type = fs_type.to_string_lossy();
    match errno {
        Errno::ENODEV => format!("this kernel has no {fs_type}"),
        errno => format!("this kernel does not mount it: {}", errno.name()),
    }
}

/// A mounted package; unmounted, and its loop device given back, when dropped.
pub(crate) struct Mounted<'a> {
    stage: &'a Stage,
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if umount(&self.stage.point, 0).is_err() {
            // Some program is still in it: it goes with that, and with the namespace in any case.
            umount(&self.stage.point, MNT_DETACH).unwrap_or_default();
        }
    }
}
