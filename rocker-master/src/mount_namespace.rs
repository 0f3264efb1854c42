//! `MountNamespace`: the master's own, from which every sandbox's is copied.
//!
//! It shows what the namespace shows in which the master was started (the host's), and beside that the package cache, which
//! nobody else sees and which goes with the master, however it dies. What the host mounts and unmounts where its mounts are
//! shared happens here too (`mount_namespaces(7)`); where they are private, as on a system without systemd, it would not,
//! and a removed medium would stay busy. So the host's table of mounts is watched, and when it has changed the namespace is
//! made anew.
//!
//! To copy it and to make an IPC namespace takes a tenth of a launch where 20 things are mounted, and two thirds where 2,000
//! are. So the master, when it has nothing better to do, goes to a copy of its namespace, without the cache, and to a new IPC
//! namespace. There the next guard is born; the master leaves both to it, and goes home.

use crate::mount_table::MountTable;
use crate::place::{self, Place};
use core::ffi::CStr;
use rocker_guard::{CACHE_DIR, Defence, Home, MountPoints};
use rocker_sys::fs::AT_FDCWD;
use rocker_sys::mount::{
    self, MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE,
    Mount,
};
use rocker_sys::namespace::{self, CLONE_NEWIPC, CLONE_NEWNS};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Decimal, Fd, OLD_KERNELS, Result, StackPath, fs, time};

/// What a guard is born into that was prepared for it.
const PREPARED: u32 = CLONE_NEWNS | CLONE_NEWIPC;

/// The namespace, and how to make it again.
pub(crate) struct MountNamespace {
    /// Where the master was started.
    host: Place,
    /// The host's `/proc/self/mountinfo`: has an exceptional condition when a mount came or went.
    host_table: Fd,
    /// `None`: this process is not in it, for making it has failed, or coming back.
    made: Option<Made>,
    /// Has the host's table changed since?
    is_stale: bool,
}

/// The namespace as it was made last.
struct Made {
    /// What is mounted in it, but for the cache.
    table: MountTable,
    place: Place,
    /// The cache's directory, if single mounts can be fetched from there (5.2).
    cache: Option<Fd>,
    /// `Some`: this process is not at home, but in what is prepared for the next guard.
    prepared: Option<Prepared>,
}

/// Namespaces that wait for a guard.
struct Prepared {
    /// The mount namespace, unless it could not be opened.
    mounts: Option<Fd>,
    has_cache: bool,
}

/// Where a guard that is cloned now is born.
#[derive(Clone, Copy)]
pub(crate) struct Birthplace {
    /// What it is in already: it needs no other namespaces of these kinds.
    pub(crate) namespaces: u32,
    /// From where it fetches its package's mount.
    pub(crate) cache: Option<Home>,
    /// Is there a copy of the cache in its mount namespace?
    pub(crate) has_cache: bool,
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
        let mut new = Self {
            host: Place::here()?,
            host_table: fs::open(c"/proc/self/mountinfo", O_RDONLY)?,
            made: None,
            is_stale: false,
        };
        new.make(None)?;
        Ok(new)
    }

    /// To be watched for exceptional conditions; of each it is told by [`MountNamespace::host_changed`], because the kernel
    /// tells once.
    pub(crate) fn host_table(&self) -> &Fd {
        &self.host_table
    }

    pub(crate) fn host_changed(&mut self) {
        self.is_stale = true;
    }

    /// What is mounted in it: nothing before it has been made.
    pub(crate) fn points(&self) -> MountPoints<'_> {
        let made = self.made.as_ref();
        made.map_or(MountPoints::of_lines(b""), |made| made.table.points())
    }

    /// Of a guard that is cloned now.
    pub(crate) fn birthplace(&self) -> Birthplace {
        let made = self.made.as_ref();
        let prepared = made.and_then(|made| made.prepared.as_ref());
        let way_back = prepared.and_then(|prepared| prepared.mounts.as_ref());
        let home = made.and_then(|made| {
            Some(Home {
                namespace: made.place.mounts(),
                dir: made.cache.as_ref()?.raw(),
                way_back: way_back.map(Fd::raw),
            })
        });
        Birthplace {
            namespaces: if prepared.is_some() { PREPARED } else { 0 },
            cache: home,
            has_cache: prepared.is_none_or(|prepared| prepared.has_cache),
        }
    }

    /// Prepares the namespaces of the next guard. Without memory for them it has to make its own.
    pub(crate) fn prepare(&mut self) {
        if let Some(made) = &mut self.made
            && made.prepared.is_none()
            && namespace::unshare(PREPARED).is_ok()
        {
            // Of a cache that is not shared: nobody else loses anything.
            let is_gone = made.cache.is_some() && mount::umount(CACHE_DIR, MNT_DETACH).is_ok();
            made.prepared = Some(Prepared {
                mounts: place::mount_namespace().ok(),
                has_cache: !is_gone,
            });
        }
    }

    /// Where the cache is. What was prepared is the guard's that was just cloned, or nobody's.
    pub(crate) fn go_home(&mut self) {
        if let Some(made) = &mut self.made
            && made.prepared.take().is_some()
            && made.place.go().is_err()
        {
            // Everything is made anew before the next launch.
            self.made = None;
        }
    }

    /// Unmounts what is in these slots of the cache: a bit for each.
    pub(crate) fn unmount(&mut self, mut slots: u32) {
        if slots == 0 {
            return;
        }
        self.go_home();
        while slots != 0 {
            if let Ok(path) = slot_path(slots.trailing_zeros()) {
                // Nothing is mounted, or there is no directory yet.
                mount::umount(path.as_c_str(), MNT_DETACH).unwrap_or_default();
            }
            slots &= slots.wrapping_sub(1);
        }
        self.prepare();
    }

    /// Makes it anew if the host's mounts are no longer what they were. `None`: there was nothing to do.
    pub(crate) fn follow_host(&mut self) -> Result<Option<Carried>> {
        // Asked here too: a client may mount something and launch before its mount is heard of.
        self.is_stale |= time::has_exception(self.host_table.raw())?;
        if self.made.is_some() && !self.is_stale {
            return Ok(None);
        }
        self.go_home();
        // Before it is left. Where there is no such call the cache starts again.
        let was_made = self.made.take();
        let cache = was_made.and_then(|_| mount::copy_tree(AT_FDCWD, CACHE_DIR).ok());
        self.is_stale = false;
        self.host.go()?;
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
            Some(tree) if hang_cache(&tree).is_ok() => Carried::Everything,
            _ => {
                mount_cache()?;
                Carried::Nothing
            }
        };
        let lends = !OLD_KERNELS || mount::copy_tree(AT_FDCWD, CACHE_DIR).is_ok();
        if !lends {
            // With every copy of it.
            change_propagation(CACHE_DIR, MS_SHARED)?;
        }
        self.made = Some(Made {
            table,
            place: Place::here()?,
            cache: if lends { Some(open_cache()?) } else { None },
            prepared: None,
        });
        self.prepare();
        Ok(carried)
    }
}

/// A small tmpfs.
fn mount_cache() -> Result<()> {
    Mount {
        source: Some(c"rocker"),
        fs_type: Some(c"tmpfs"),
        flags: MS_NOSUID | MS_NODEV | MS_NOEXEC,
        data: Some(c"mode=700,size=64k"),
    }
    .at(CACHE_DIR)
}

fn slot_path(slot: u32) -> Result<StackPath<32>> {
    StackPath::of(&[CACHE_DIR.to_bytes(), b"/", Decimal::of(slot).as_bytes()])
}

fn open_cache() -> Result<Fd> {
    fs::open(CACHE_DIR, O_PATH | O_DIRECTORY)
}

fn hang_cache(tree: &Fd) -> Result<()> {
    mount::hang_tree(tree, &open_cache()?)
}

fn change_propagation(path: &CStr, flags: u32) -> Result<()> {
    Mount {
        flags,
        ..Mount::default()
    }
    .at(path)
}
