//! `MountNamespace`: the master's own, from which every sandbox's is copied.
//!
//! It shows what the namespace shows in which the master was started (the host's), and beside that the package cache, which
//! nobody else sees and which goes with the master, however it dies. What the host mounts and unmounts where its mounts are
//! shared happens here too (`mount_namespaces(7)`); where they are private, as on a system without systemd, it would not,
//! and a removed medium would stay busy. So the host's table of mounts is watched, and when it has changed the namespace is
//! made anew.

use crate::mount_table::MountTable;
use core::ffi::CStr;
use rocker_guard::{CACHE_DIR, Defence, MountPoints};
use rocker_sys::mount::{
    self, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE, Mount,
};
use rocker_sys::namespace::{self, CLONE_NEWNS};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Fd, Result, fs, time};

/// The namespace that this process is in, and how to make it again.
pub(crate) struct MountNamespace {
    host: Host,
    /// What is mounted in it, but for the cache. `None`: the process is not in it, for making it has failed.
    table: Option<MountTable>,
    /// Has the host's table changed since?
    is_stale: bool,
}

/// Where the master was started.
struct Host {
    namespace: Fd,
    root: Fd,
    working_dir: Fd,
    /// Its `/proc/self/mountinfo`: has an exceptional condition when a mount came or went.
    table: Fd,
}

/// What became of the cache when the namespace was made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// It came along.
    Everything,
    /// It is empty (before Linux 5.2). Sandboxes keep what they have.
    Nothing,
}

impl MountNamespace {
    /// Makes it and goes there.
    pub(crate) fn enter() -> Result<Self> {
        let dir = |path| fs::open(path, O_PATH | O_DIRECTORY);
        let mut new = Self {
            host: Host {
                namespace: fs::open(c"/proc/self/ns/mnt", O_RDONLY)?,
                root: dir(c"/")?,
                working_dir: dir(c".")?,
                table: fs::open(c"/proc/self/mountinfo", O_RDONLY)?,
            },
            table: None,
            is_stale: false,
        };
        new.make(None)?;
        Ok(new)
    }

    /// To be watched for exceptional conditions; of each it is told by [`MountNamespace::host_changed`], because the kernel
    /// tells once.
    pub(crate) fn host_table(&self) -> &Fd {
        &self.host.table
    }

    pub(crate) fn host_changed(&mut self) {
        self.is_stale = true;
    }

    /// What is mounted in it: nothing before it has been made.
    pub(crate) fn points(&self) -> MountPoints<'_> {
        let table = self.table.as_ref();
        table.map_or(MountPoints::of_lines(b""), MountTable::points)
    }

    /// Makes it anew if the host's mounts are no longer what they were. `None`: there was nothing to do.
    pub(crate) fn follow_host(&mut self) -> Result<Option<Carried>> {
        // Asked here too: a client may mount something and launch before its mount is heard of.
        self.is_stale |= time::has_exception(self.host.table.raw())?;
        if self.table.is_some() && !self.is_stale {
            return Ok(None);
        }
        // Before the old one is left. Where there is no such call the cache starts again.
        let was_made = self.table.take();
        let cache = was_made.and_then(|_| mount::copy_tree(CACHE_DIR).ok());
        self.is_stale = false;
        self.host.go_back()?;
        let carried = self.make(cache)?;
        Ok(Some(carried))
    }

    fn make(&mut self, cache: Option<Fd>) -> Result<Carried> {
        namespace::unshare(CLONE_NEWNS)?;
        // Nothing that is mounted here reaches the host.
        let slave_or_not = if Defence::Propagation.stands() {
            MS_SLAVE
        } else {
            MS_PRIVATE
        };
        change_propagation(c"/", MS_REC | slave_or_not)?;
        let table = MountTable::read()?;
        let carried = match cache {
            Some(tree) if mount::hang_tree(&tree, CACHE_DIR).is_ok() => Carried::Everything,
            _ => {
                mount_cache()?;
                Carried::Nothing
            }
        };
        self.table = Some(table);
        Ok(carried)
    }
}

impl Host {
    fn go_back(&self) -> Result<()> {
        namespace::setns(self.namespace.raw(), CLONE_NEWNS)?;
        // setns goes to the namespace's own root.
        fs::fchdir(self.root.raw())?;
        fs::chroot(c".")?;
        fs::fchdir(self.working_dir.raw())
    }
}

/// A small tmpfs whose mounts are shared with every copy of it.
fn mount_cache() -> Result<()> {
    Mount {
        source: Some(c"rocker"),
        fs_type: Some(c"tmpfs"),
        flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
        data: Some(c"mode=700,size=64k"),
    }
    .at(CACHE_DIR)?;
    change_propagation(CACHE_DIR, MS_SHARED)
}

fn change_propagation(path: &CStr, flags: u32) -> Result<()> {
    Mount {
        flags,
        ..Mount::default()
    }
    .at(path)
}
