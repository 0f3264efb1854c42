//! `rocker check`: what this kernel has and lacks, tried out feature by feature.

use crate::message::{print, report};
use crate::{FAILED, probe_image};
use core::ffi::CStr;
use rocker_client::DEFAULT_SOCKET;
use rocker_sys::loop_device::LoopDevice;
use rocker_sys::mount::{self, MNT_DETACH, MS_PRIVATE, MS_RDONLY, MS_REC, Mount};
use rocker_sys::namespace::{
    self, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS,
};
use rocker_sys::process::{self, Cloned, Ended, Which};
use rocker_sys::program::Program;
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY, RESOLVE_NO_SYMLINKS};
use rocker_sys::socket::{self, Address};
use rocker_sys::{Errno, Fd, Result, credentials, fs};

/// How much a feature matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing works without it.
    Must,
    /// Packages of this kind do not work without it; one of the group is enough.
    Package,
    /// There is a slower or older way.
    Better,
}

/// One thing to try.
struct Probe {
    name: &'static str,
    need: Need,
    try_it: fn() -> Result<()>,
    /// What its lack means, and how to mend it.
    without: &'static str,
}

const PROBES: &[Probe] = &[
    Probe {
        name: "root",
        need: Need::Must,
        try_it: root,
        without: "run the check, and the master, as root",
    },
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
        need: Need::Must,
        try_it: loop_device,
        without: "CONFIG_BLK_DEV_LOOP, /dev/loop-control and /dev/loopN (devtmpfs makes them)",
    },
    Probe {
        name: "squashfs, gzip",
        need: Need::Package,
        try_it: || squashfs(1),
        without: "CONFIG_SQUASHFS, CONFIG_SQUASHFS_ZLIB",
    },
    Probe {
        name: "squashfs, lzo",
        need: Need::Package,
        try_it: || squashfs(3),
        without: "CONFIG_SQUASHFS_LZO",
    },
    Probe {
        name: "squashfs, xz",
        need: Need::Package,
        try_it: || squashfs(4),
        without: "CONFIG_SQUASHFS_XZ",
    },
    Probe {
        name: "squashfs, lz4",
        need: Need::Package,
        try_it: || squashfs(5),
        without: "CONFIG_SQUASHFS_LZ4",
    },
    Probe {
        name: "squashfs, zstd",
        need: Need::Package,
        try_it: || squashfs(6),
        without: "CONFIG_SQUASHFS_ZSTD, 4.14",
    },
    Probe {
        name: "erofs",
        need: Need::Package,
        try_it: || known(c"erofs"),
        without: "CONFIG_EROFS_FS, 5.4",
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

pub(crate) fn check(program: &Program) -> i32 {
    if let Some(argument) = program.arguments().nth(2) {
        report(&[b"check takes no argument, not ", argument.to_bytes()]);
        return crate::USAGE;
    }
    let mut release = [0; 64];
    let len = process::kernel_release(&mut release).unwrap_or(0);
    print(&[b"kernel  ", release.get(..len).unwrap_or_default(), b"\n"]);
    // Everything that is mounted here goes with this process.
    let private = Mount {
        flags: MS_REC | MS_PRIVATE,
        ..Mount::default()
    };
    if let Err(errno) = namespace::unshare(CLONE_NEWNS).and_then(|()| private.at(c"/")) {
        report(&[
            b"cannot try anything without a mount namespace: ",
            errno.name().as_bytes(),
            b" (run this as root)",
        ]);
        return FAILED;
    }
    let mut usable = true;
    let mut packages = false;
    for probe in PROBES {
        let result = (probe.try_it)();
        show(probe, &result);
        match probe.need {
            Need::Must => usable &= result.is_ok(),
            Need::Package => packages |= result.is_ok(),
            Need::Better => {}
        }
    }
    show_cgroups();
    show_master(program);
    let verdict = match (usable, packages) {
        (true, true) => &b"Rocker works here.\n"[..],
        (true, false) => b"Rocker does not work here: no package could be mounted.\n",
        _ => b"Rocker does not work here: see what is missing above.\n",
    };
    print(&[verdict]);
    i32::from(!(usable && packages))
}

fn show(probe: &Probe, result: &Result<()>) {
    match (result, probe.need) {
        (Ok(()), _) => print(&[b"ok      ", probe.name.as_bytes(), b"\n"]),
        (Err(errno), need) => print(&[
            if need == Need::Must {
                b"MISSING "
            } else {
                b"without "
            },
            probe.name.as_bytes(),
            b": ",
            errno.name().as_bytes(),
            b" (",
            probe.without.as_bytes(),
            b")\n",
        ]),
    };
}

fn root() -> Result<()> {
    if credentials::effective_uid() == 0 {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

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
    match unsafe { process::clone(kinds) }? {
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
    match mount::set_read_only_recursively(fs::AT_FDCWD, c"/rocker-check/none") {
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

fn show_cgroups() {
    let is_there = |path| fs::open(path, O_RDONLY).is_ok();
    let kind: &[u8] = if is_there(c"/sys/fs/cgroup/cgroup.controllers") {
        b"version 2"
    } else if is_there(c"/sys/fs/cgroup/memory") {
        b"version 1"
    } else {
        b"none mounted"
    };
    print(&[b"info    cgroups: ", kind, b"\n"]);
}

fn show_master(program: &Program) {
    let path = program
        .variable(b"ROCKER_SOCKET=")
        .unwrap_or(DEFAULT_SOCKET);
    let connected = connect(path);
    match connected {
        Ok(_) => print(&[b"info    a master serves at ", path.to_bytes(), b"\n"]),
        Err(errno) => print(&[
            b"info    no master at ",
            path.to_bytes(),
            b": ",
            errno.name().as_bytes(),
            b"\n",
        ]),
    };
}

fn connect(path: &CStr) -> Result<Fd> {
    let connection = socket::new()?;
    socket::connect(connection.raw(), &Address::new(path)?)?;
    Ok(connection)
}
