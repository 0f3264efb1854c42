//! `MountNamespace`: the master's own, from which every sandbox's is copied.
//!
//! It shows what the namespace shows in which the master was started (the host's). What the host mounts and unmounts where
//! its mounts are shared happens here too (`mount_namespaces(7)`); where they are private, as on a system without systemd, it
//! would not, and a removed medium would stay busy. So the host's table of mounts is watched, and when it has changed the
//! namespace is made anew.
//!
//! To copy it and to make an IPC namespace takes a tenth of a launch where 20 things are mounted, and two thirds where 2,000
//! are. So the master, when it has nothing better to do, goes to a copy of its namespace and to a new IPC namespace. There the
//! next guard is born; the master leaves both to it, and goes home.
//!
//! The package cache is in another copy, where nobody stays, and of which no sandbox's is a copy. It goes with the master,
//! however that dies.

use crate::mount_table::MountTable;
use crate::whereabouts::Whereabouts;
use core::ffi::CStr;
use rocker_guard::{CACHE_DIR, Defence, Home, MountPoints, Place};
use rocker_sys::fs::AT_FDCWD;
use rocker_sys::mount::{
    self, MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE,
    Mount,
};
use rocker_sys::namespace::{self, CLONE_NEWIPC, CLONE_NEWNS};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Fd, OLD_KERNELS, Result, fs, time};

/// What a guard is born into that was prepared for it.
const PREPARED: u32 = CLONE_NEWNS | CLONE_NEWIPC;

/// The namespace, and how to make it again.
pub(crate) struct MountNamespace {
    /// Where the master was started.
    host: Whereabouts,
    /// The host's `/proc/self/mountinfo`: has an exceptional condition when a mount came or went.
    host_table: Fd,
    /// `None`: this process is not in it, for making it has failed, or coming back.
    made: Option<Made>,
    /// Has the host's table changed since?
    is_stale: bool,
}

/// The namespace as it was made last.
struct Made {
    /// What is mounted in it.
    table: MountTable,
    home: Whereabouts,
    /// `None`: guards cannot fetch single mounts (before 5.2), and it is at home.
    cache: Option<CacheHome>,
    /// Is this process in what is prepared for the next guard?
    is_away: bool,
}

/// Where the cache is.
struct CacheHome {
    place: Place,
    dir: Fd,
}

impl CacheHome {
    /// Where this process is.
    fn here() -> Result<Self> {
        Ok(Self {
            place: Place::here()?,
            dir: open_cache()?,
        })
    }
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
            host: Whereabouts::now()?,
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

    /// The namespaces that a guard is born into that is cloned now: it needs no others of their kinds.
    pub(crate) fn prepared(&self) -> u32 {
        let is_away = self.made.as_ref().is_some_and(|made| made.is_away);
        if is_away { PREPARED } else { 0 }
    }

    /// From where a guard fetches its package's mount, if it can.
    pub(crate) fn cache(&self) -> Option<Home> {
        let cache = self.made.as_ref()?.cache.as_ref()?;
        Some(Home {
            namespace: cache.place.namespace().raw(),
            dir: cache.dir.raw(),
        })
    }

    /// Prepares the namespaces of the next guard. Without memory for them it has to make its own.
    pub(crate) fn prepare(&mut self) {
        if let Some(made) = &mut self.made
            && !made.is_away
        {
            made.is_away = namespace::unshare(PREPARED).is_ok();
        }
    }

    /// What was prepared is the guard's that was just cloned, or nobody's.
    pub(crate) fn go_home(&mut self) {
        if let Some(made) = &mut self.made
            && made.is_away
        {
            made.is_away = false;
            self.come_back();
        }
    }

    fn come_back(&mut self) {
        if let Some(made) = &self.made
            && made.home.go().is_err()
        {
            // Everything is made anew before the next launch.
            self.made = None;
        }
    }

    /// Goes where the cache is; `come_back` is to follow.
    fn go_to_cache(&mut self) -> Result<()> {
        self.go_home();
        match self.made.as_ref().and_then(|made| made.cache.as_ref()) {
            Some(cache) => cache.place.go(),
            None => Ok(()),
        }
    }

    /// Unmounts what is in these slots of the cache: a bit for each.
    pub(crate) fn unmount(&mut self, mut slots: u32) {
        if slots == 0 {
            return;
        }
        if self.go_to_cache().is_ok() {
            while slots != 0 {
                if let Ok(path) = rocker_guard::slot_path(slots.trailing_zeros()) {
                    // Nothing is mounted, or there is no directory yet.
                    mount::umount(path.as_c_str(), MNT_DETACH).unwrap_or_default();
                }
                slots &= slots.wrapping_sub(1);
            }
        }
        self.come_back();
        self.prepare();
    }

    /// Makes it anew if the host's mounts are no longer what they were. `None`: there was nothing to do.
    pub(crate) fn follow_host(&mut self) -> Result<Option<Carried>> {
        // Asked here too: a client may mount something and launch before its mount is heard of.
        self.is_stale |= time::has_exception(self.host_table.raw())?;
        if self.made.is_some() && !self.is_stale {
            return Ok(None);
        }
        // Before it is left. Where there is no such call the cache starts again.
        let was_there = self.made.is_some() && self.go_to_cache().is_ok();
        self.made = None;
        let cache = was_there.then(|| mount::copy_tree(AT_FDCWD, CACHE_DIR));
        let cache = cache.and_then(Result::ok);
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
        let home = Whereabouts::now()?;
        // The cache's copy was made by the same call.
        let lends = !OLD_KERNELS || cache.is_some() || mount::copy_tree(AT_FDCWD, c"/proc").is_ok();
        if lends {
            namespace::unshare(CLONE_NEWNS)?;
        }
        let carried = show_cache(cache)?;
        let cache = if lends {
            let cache = CacheHome::here()?;
            home.go()?;
            Some(cache)
        } else {
            // With every copy of it.
            change_propagation(CACHE_DIR, MS_SHARED)?;
            None
        };
        self.made = Some(Made {
            table,
            home,
            cache,
            is_away: false,
        });
        self.prepare();
        Ok(carried)
    }
}

/// The cache as it was, or else a new one.
fn show_cache(copy: Option<Fd>) -> Result<Carried> {
    if copy.is_some_and(|tree| hang_cache(&tree).is_ok()) {
        return Ok(Carried::Everything);
    }
    mount_cache()?;
    Ok(Carried::Nothing)
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
