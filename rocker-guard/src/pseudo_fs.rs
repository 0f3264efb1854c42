//! `/proc` and `/sys` of the sandbox.

use crate::Defence;
use crate::mount_points::MountPoints;
use crate::resolve::{self, PATH_MAX};
use crate::step::{At, Step};
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::mount::{
    MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REMOUNT, Mount, ST_NOEXEC,
};
use rocker_sys::mount_attributes::{
    self, AT_RECURSIVE, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
};
use rocker_sys::{Errno, Fd, OLD_KERNELS, ProcPath, Result, fs};

/// Knobs of the whole machine: to be read, not turned.
const READ_ONLY: [&CStr; 4] = [
    c"/proc/sys",
    c"/proc/sysrq-trigger",
    c"/proc/irq",
    c"/proc/bus",
];

/// Kernel memory, other people's keys, the timing of everything: not to be read either.
const MASKED: [&CStr; 3] = [c"/proc/kcore", c"/proc/keys", c"/proc/timer_list"];

const HARD: u32 = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/// What the kernel shows of itself, as a sandbox may see it: a `/proc` of its own, and a `/sys` that it cannot write to.
pub(crate) fn close(mask: &Fd, mounts: MountPoints<'_>) -> Step {
    mount_proc(mask)?;
    close_sys(mounts)
}

/// Mounts `/proc` anew, for the pid namespace of this process, and closes what an App has no business with. An App without
/// privileges could not write most of it anyway; this holds for those files too whose mode is too generous.
pub(crate) fn mount_proc(mask: &Fd) -> Step {
    show_proc()?;
    if !Defence::PseudoFs.stands() {
        return Ok(());
    }
    let mask = ProcPath::new(mask.raw());
    at_each(&mask, bind)?;
    match make_binds_read_only() {
        // Before Linux 5.12, and filters of container engines that do not know the call yet.
        Err(Errno::ENOSYS | Errno::EPERM) if OLD_KERNELS => at_each(&mask, remount_read_only),
        result => result.at(Stage::HARDEN_PROC),
    }
}

/// Mounts `/proc` anew, with all that is in it. Root does so before it makes a user namespace in which `/proc` is to be
/// mounted once more: there the kernel allows it only beside one of which nothing is covered (`mount_too_revealing` in
/// `fs/namespace.c`), and hosts do mount things in theirs.
pub(crate) fn show_proc() -> Step {
    let proc = Mount {
        source: Some(c"proc"),
        fs_type: Some(c"proc"),
        flags: HARD,
        data: None,
    };
    proc.at(c"/proc").at(Stage::MOUNT_PROC)
}

/// Does this with everything that is closed: what covers it, and where.
fn at_each(mask: &ProcPath, act: fn(&CStr, &CStr) -> Result<()>) -> Step {
    let read_only = READ_ONLY.iter().map(|path| (*path, *path));
    let masked = MASKED.iter().map(|path| (mask.as_c_str(), *path));
    for (index, (source, path)) in (0u16..).zip(read_only.chain(masked)) {
        match act(source, path) {
            // This kernel has not got it.
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno).at_index(Stage::HARDEN_PROC, index),
        }
    }
    Ok(())
}

fn bind(source: &CStr, path: &CStr) -> Result<()> {
    Mount {
        source: Some(source),
        flags: MS_BIND,
        ..Mount::default()
    }
    .at(path)
}

/// Everything mounted in `/proc` at once, and `/proc` itself with it, which then is made writable again: two calls, where
/// one for each bind takes five. Nobody but this process can see it yet.
fn make_binds_read_only() -> Result<()> {
    let hard = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    mount_attributes::set(c"/proc", AT_RECURSIVE, hard)?;
    mount_attributes::clear(c"/proc", 0, MOUNT_ATTR_RDONLY)
}

fn remount_read_only(_: &CStr, path: &CStr) -> Result<()> {
    Mount {
        flags: MS_BIND | MS_REMOUNT | MS_RDONLY | HARD,
        ..Mount::default()
    }
    .at(path)
}

/// Makes `/sys` and everything mounted in it read-only.
pub(crate) fn close_sys(mounts: MountPoints<'_>) -> Step {
    if !Defence::PseudoFs.stands() {
        return Ok(());
    }
    match mount_attributes::set(c"/sys", AT_RECURSIVE, MOUNT_ATTR_RDONLY) {
        // Nothing is mounted there, or there is no such directory.
        Err(Errno::EINVAL | Errno::ENOENT) => Ok(()),
        Err(Errno::ENOSYS | Errno::EPERM) if OLD_KERNELS => {
            one_by_one(mounts).at(Stage::HARDEN_SYS)
        }
        result => result.at(Stage::HARDEN_SYS),
    }
}

/// The same before Linux 5.12.
// A frame of its own: pages that newer kernels need not touch.
#[inline(never)]
fn one_by_one(mounts: MountPoints<'_>) -> Result<()> {
    for point in mounts.iter() {
        if !point.bytes().eq(*b"/sys") && point.below(b"/sys").is_none() {
            continue;
        }
        let mut path = [0; PATH_MAX];
        for (slot, byte) in path.iter_mut().zip(point.bytes()) {
            *slot = byte;
        }
        let path = CStr::from_bytes_until_nul(&path).map_err(|_| Errno::ENAMETOOLONG)?;
        match read_only_again(path) {
            // Covered by another mount, so out of reach.
            Ok(()) | Err(Errno::ENOENT | Errno::EINVAL) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn read_only_again(path: &CStr) -> Result<()> {
    let mounted = resolve::open(path, 0)?;
    let kept = fs::fstatfs(mounted.raw())?.flags & (MS_NOSUID | MS_NODEV | ST_NOEXEC);
    Mount {
        flags: MS_BIND | MS_REMOUNT | MS_RDONLY | kept,
        ..Mount::default()
    }
    .at(ProcPath::new(mounted.raw()).as_c_str())
}
