//! What Rocker wants of a kernel, and how to try it without leaving anything.

use crate::probe_image;
use core::ffi::CStr;
use rocker_sys::loop_device::LoopDevice;
use rocker_sys::mount::{self, MNT_DETACH, MS_RDONLY, Mount};
use rocker_sys::mount_attributes::{self, AT_RECURSIVE, MOUNT_ATTR_RDONLY};
use rocker_sys::namespace::{
    CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS,
};
use rocker_sys::process::{self, Cloned, Ended, Which};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, RESOLVE_NO_SYMLINKS};
use rocker_sys::{Errno, Result, fs, seccomp};

/// How much a feature matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing works without it.
    Must,
    /// Likewise, and what follows as [`Need::Squashfs`] cannot even be tried.
    Loop,
    /// Packages of this kind do not work without it; one kind is enough.
    Squashfs,
    /// Likewise, and takes no loop device to try.
    Erofs,
    /// There is a slower or older way.
    Better,
}

/// One thing to try.
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) try_it: fn() -> Result<()>,
    /// What its lack means, and how to mend it.
    pub(crate) without: &'static str,
}

/// In the order in which they are told.
pub(crate) const PROBES: &[Probe] = &[
    Probe {
        name: "/proc",
        need: Need::Must,
        try_it: proc_fs,
        without: "mount -t proc proc /proc",
    },
    Probe {
        name: "mount, pid, ipc and uts namespaces",
        need: Need::Must,
        try_it: namespaces,
        without: "CONFIG_NAMESPACES, CONFIG_PID_NS, CONFIG_IPC_NS, CONFIG_UTS_NS",
    },
    Probe {
        name: "user namespaces",
        need: Need::Must,
        try_it: user_namespace,
        without: "CONFIG_USER_NS, and /proc/sys/user/max_user_namespaces above 0",
    },
    Probe {
        name: "overlayfs",
        need: Need::Must,
        try_it: overlay,
        without: "CONFIG_OVERLAY_FS",
    },
    Probe {
        name: "loop devices",
        need: Need::Loop,
        try_it: loop_device,
        without: "CONFIG_BLK_DEV_LOOP and /dev/loopN, which devtmpfs makes",
    },
    Probe {
        name: "squashfs, gzip",
        need: Need::Squashfs,
        try_it: || squashfs(1),
        without: "CONFIG_SQUASHFS, CONFIG_SQUASHFS_ZLIB",
    },
    Probe {
        name: "squashfs, lzo",
        need: Need::Squashfs,
        try_it: || squashfs(3),
        without: "CONFIG_SQUASHFS_LZO",
    },
    Probe {
        name: "squashfs, xz",
        need: Need::Squashfs,
        try_it: || squashfs(4),
        without: "CONFIG_SQUASHFS_XZ",
    },
    Probe {
        name: "squashfs, lz4",
        need: Need::Squashfs,
        try_it: || squashfs(5),
        without: "CONFIG_SQUASHFS_LZ4",
    },
    Probe {
        name: "squashfs, zstd",
        need: Need::Squashfs,
        try_it: || squashfs(6),
        without: "CONFIG_SQUASHFS_ZSTD, 4.14",
    },
    Probe {
        name: "erofs",
        need: Need::Erofs,
        try_it: || known(c"erofs"),
        without: "CONFIG_EROFS_FS, 5.4",
    },
    Probe {
        name: "filters of system calls",
        need: Need::Better,
        try_it: seccomp::is_there,
        without: "Apps start with --seccomp off alone: CONFIG_SECCOMP_FILTER",
    },
    Probe {
        name: "network namespaces",
        need: Need::Better,
        try_it: || clone_into(CLONE_NEWNET).map(drop),
        without: "no --network none: CONFIG_NET_NS",
    },
    Probe {
        name: "open_tree (5.2)",
        need: Need::Better,
        try_it: open_tree,
        without: "each launch copies the package cache, and waits until its copy is gone",
    },
    Probe {
        name: "clone3 and pidfds (5.3)",
        need: Need::Better,
        try_it: pidfd,
        without: "sandboxes end up to 0.2 s late, and the guard looks five times a second",
    },
    Probe {
        name: "openat2 (5.6)",
        need: Need::Better,
        try_it: openat2,
        without: "paths are walked one component at a time",
    },
    Probe {
        name: "LOOP_CONFIGURE (5.8)",
        need: Need::Better,
        try_it: loop_configure,
        without: "loop devices are set up in two steps",
    },
    Probe {
        name: "mount_setattr (5.12)",
        need: Need::Better,
        try_it: mount_setattr,
        without: "/sys is made read-only one mount at a time",
    },
];

fn proc_fs() -> Result<()> {
    let proc = fs::open(c"/proc", O_PATH | O_DIRECTORY)?;
    if fs::fstatfs(proc.raw())?.magic == fs::StatFs::PROC {
        Ok(())
    } else {
        Err(Errno::ENOENT)
    }
}

/// Makes a process in these namespaces, and waits for it.
#[allow(unsafe_code)]
fn clone_into(kinds: u32) -> Result<bool> {
    // SAFETY: this program has one thread; the child exits at once.
    match unsafe { process::clone(kinds, 0) }? {
        Cloned::Child => process::exit(0),
        Cloned::Parent { pid, pidfd } => match process::wait(Which::Pid(pid), 0)? {
            Some((_, Ended::Exited(0))) => Ok(pidfd.is_some()),
            _ => Err(Errno::EIO),
        },
    }
}

fn namespaces() -> Result<()> {
    clone_into(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS).map(drop)
}

fn user_namespace() -> Result<()> {
    clone_into(CLONE_NEWUSER).map(drop)
}

fn pidfd() -> Result<()> {
    if clone_into(0)? {
        Ok(())
    } else {
        Err(Errno::ENOSYS)
    }
}

fn open_tree() -> Result<()> {
    mount::copy_tree(fs::AT_FDCWD, c"/proc").map(drop)
}

fn openat2() -> Result<()> {
    fs::openat2(
        fs::AT_FDCWD,
        c"/",
        O_PATH | O_DIRECTORY,
        RESOLVE_NO_SYMLINKS,
    )
    .map(drop)
}

fn mount_setattr() -> Result<()> {
    match mount_attributes::set(c"/rocker-check/none", AT_RECURSIVE, MOUNT_ATTR_RDONLY) {
        Err(Errno::ENOENT) => Ok(()),
        result => result,
    }
}

/// Does the kernel know a file system of this name? It looks that up before anything else, and loads a module for it.
fn known(fs_type: &CStr) -> Result<()> {
    let mount = Mount {
        source: Some(c"none"),
        fs_type: Some(fs_type),
        flags: MS_RDONLY,
        data: None,
    };
    match mount.at(c"/") {
        Err(Errno::ENODEV) => Err(Errno::ENODEV),
        _ => Ok(()),
    }
}

fn overlay() -> Result<()> {
    known(c"overlay")
}

fn loop_device() -> Result<()> {
    LoopDevice::attach(probe_image::squashfs(1)?.raw()).map(drop)
}

fn loop_configure() -> Result<()> {
    LoopDevice::attach_in_one_step(probe_image::squashfs(1)?.raw()).map(drop)
}

fn squashfs(compression: u16) -> Result<()> {
    let device = LoopDevice::attach(probe_image::squashfs(compression)?.raw())?;
    let mount = Mount {
        source: Some(device.path()),
        fs_type: Some(c"squashfs"),
        flags: MS_RDONLY,
        data: None,
    };
    match mount.at(c"/proc") {
        Ok(()) => mount::umount(c"/proc", MNT_DETACH),
        // lz4 wants options in the image, which this one has not got; a kernel without lz4 says EINVAL before that.
        Err(Errno::EIO) => Ok(()),
        Err(errno) => Err(errno),
    }
}
