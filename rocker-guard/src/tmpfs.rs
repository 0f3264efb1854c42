//! A tmpfs for the upper layers of one sandbox.

use rocker_proto::Data;
use rocker_sys::mount::{MS_NODEV, MS_NOSUID, Mount};
use rocker_sys::raw::general::{O_DIRECTORY, O_NOFOLLOW, O_RDONLY};
use rocker_sys::{Decimal, Errno, Fd, Result, StackPath, fs};

/// The directory that it covers.
const NAME: &core::ffi::CStr = c"fs";

/// Files besides those that the size allows: the layers' own directories, five for each overlay.
const OWN_INODES: u32 = 512;

/// Mounts it; gives its root, which belongs to root and is closed to everybody else.
///
/// It is mounted over `fs` of the host's `/proc`: a directory which only the kernel can make or move, and which every path
/// loses sight of when the sandbox has a `/proc` of its own. Overlayfs takes no layer from a mount that is nowhere (before
/// Linux 6.15), and to unmount it would wait for every processor (RCU).
///
/// Memory for what is not a file's content counts too: there may be one file for each KiB.
pub(crate) fn mount(data: &Data, host_proc: &Fd) -> Result<Fd> {
    let size_kib = match data.size_kib {
        0 => Data::DEFAULT_SIZE_KIB,
        size => size,
    };
    let inodes = size_kib.saturating_add(OWN_INODES);
    let options = StackPath::<64>::of(&[
        b"mode=700,size=",
        Decimal::of(size_kib).as_bytes(),
        b"k,nr_inodes=",
        Decimal::of(inodes).as_bytes(),
    ])?;
    // Whoever mounts the overlays goes elsewhere.
    fs::fchdir(host_proc.raw())?;
    Mount {
        source: Some(c"rocker"),
        fs_type: Some(c"tmpfs"),
        flags: MS_NOSUID | MS_NODEV,
        data: Some(options.as_c_str()),
    }
    .at(NAME)?;
    let root = fs::open(NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)?;
    // Else the mount went elsewhere, and its layers would be the host's.
    if fs::fstatfs(root.raw())?.magic == fs::StatFs::TMPFS {
        Ok(root)
    } else {
        Err(Errno::EXDEV)
    }
}
