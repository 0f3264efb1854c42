//! `Layers`: where the changes of one overlay are kept.
//!
//! `STORE/NAME/{upper,workN,workN+}`. The store is `DATA_DIR/.rocker`, or the root of a tmpfs that no path leads to; it
//! belongs to root and is closed to everybody else (0700), so that no App can put anything in the layers' place between two
//! launches, and nothing below it needs to be looked at again. NAME is the overlaid directory's own path, so the same
//! directory finds its changes again; N is the sandbox's [`Seat`], which uses its two work directories in turns
//! ([`Spent`](crate::spent::Spent)).

use crate::Defence;
use crate::layer_name::LayerName;
use crate::resolve::open_dir;
use crate::seat::Seat;
use core::ffi::CStr;
use rocker_proto::Request;
use rocker_sys::fs::{self, Stat};
use rocker_sys::raw::general::{O_PATH, O_RDONLY};
use rocker_sys::{Errno, Fd, Result, StackPath};

/// A layer's path below the store: a name, a slash, `upper` or `work` with a number.
type LayerPath = StackPath<288>;

/// The upper and the work directory of one overlay (`overlayfs.rst` of the kernel).
pub(crate) struct Layers {
    pub(crate) upper: Fd,
    pub(crate) work: Fd,
}

/// The store of all layers of one sandbox.
pub(crate) struct LayerStore {
    dir: Fd,
    /// A tmpfs is one sandbox's alone, and has none.
    seat: Option<Seat>,
}

impl LayerStore {
    /// Opens that of a data directory, or makes it.
    ///
    /// # Errors
    /// `EPERM`: something is in its place that root did not make.
    pub(crate) fn on_disk(data_dir: &Fd) -> Result<Self> {
        let dir = match open_dir(data_dir, c".rocker", O_RDONLY) {
            Err(Errno::ENOENT) => {
                make(data_dir, c".rocker")?;
                open_dir(data_dir, c".rocker", O_RDONLY)?
            }
            result => result?,
        };
        let stat = fs::fstat(dir.raw())?;
        if (stat.uid != 0 || stat.mode & 0o077 != 0) && Defence::LayerStore.stands() {
            return Err(Errno::EPERM);
        }
        let seat = Some(Seat::take(&dir)?);
        Ok(Self { dir, seat })
    }

    /// That of a tmpfs made for this sandbox.
    pub(crate) fn in_memory(tmpfs: Fd) -> Self {
        Self {
            dir: tmpfs,
            seat: None,
        }
    }

    /// What must be held as long as an overlay is mounted.
    pub(crate) fn into_seat(self) -> Option<Seat> {
        self.seat
    }

    /// Can the file system hold upper layers? Overlayfs itself cannot: its mount would say a bare `EINVAL`.
    pub(crate) fn holds_layers(&self) -> Result<bool> {
        Ok(fs::fstatfs(self.dir.raw())?.magic != fs::StatFs::OVERLAYFS)
    }

    /// The layers for the directory with this canonical path and this status.
    pub(crate) fn layers(
        &mut self,
        path: &[u8],
        lower: &Stat,
        request: &Request<'_>,
        owned: bool,
    ) -> Result<Layers> {
        let name = LayerName::of(path);
        let (upper, is_new) = layer(&self.dir, &name, b"upper")?;
        let work = self.work(&name)?;
        give_to_app(&upper, is_new, lower, request, owned)?;
        Ok(Layers { upper, work })
    }

    fn work(&mut self, name: &LayerName) -> Result<Fd> {
        let Some(seat) = &mut self.seat else {
            return Ok(layer(&self.dir, name, b"work")?.0);
        };
        let open = |part: StackPath<16>| layer(&self.dir, name, part.as_c_str().to_bytes());
        let (first, second) = (open(seat.work(b"")?)?, open(seat.work(b"+")?)?);
        Ok(seat.spent.choose([first.0, second.0]))
    }
}

/// A layer's directory, and whether it was made just now. That of an earlier launch is one call away.
fn layer(store: &Fd, name: &LayerName, part: &[u8]) -> Result<(Fd, bool)> {
    let path = LayerPath::of(&[name.as_c_str().to_bytes(), b"/", part])?;
    match open_dir(store, path.as_c_str(), O_PATH) {
        Err(Errno::ENOENT) => {
            make(store, name.as_c_str())?;
            make(store, path.as_c_str())?;
            Ok((open_dir(store, path.as_c_str(), O_PATH)?, true))
        }
        result => Ok((result?, false)),
    }
}

/// The root of an upper layer decides who may do what at the top of the overlaid directory. It belongs to the App, so that
/// an unprivileged one can create entries there; its mode is that of the directory below it.
///
/// An overlay that nobody asked for by name (the default list) opens nothing: a directory that the App's ids could not
/// enter on the host keeps its owner and its mode.
#[inline(never)] // smaller by itself
fn give_to_app(
    upper: &Fd,
    is_new: bool,
    lower: &Stat,
    request: &Request<'_>,
    named: bool,
) -> Result<()> {
    let (uid, gid, mode) = if named || may_enter(lower, request) {
        (request.uid, request.gid, lower.mode & 0o1777 | 0o700)
    } else {
        (lower.uid, lower.gid, lower.mode & 0o1777)
    };
    let now = fs::fstat(upper.raw())?;
    let is_s = now.uid == uid && now.gid == gid;
    // What the App itself has changed since stays changed.
    if is_s && !is_new {
        return Ok(());
    }
    // What changes an owner or a mode wants more than a place in the tree.
    let upper = open_dir(upper, c".", O_RDONLY)?;
    fs::fchown(upper.raw(), uid, gid)?;
    fs::fchmod(upper.raw(), mode)
}

/// Do the permission bits let these ids search the directory?
fn may_enter(dir: &Stat, request: &Request<'_>) -> bool {
    let execute = if dir.uid == request.uid {
        0o100
    } else if dir.gid == request.gid {
        0o010
    } else {
        0o001
    };
    dir.mode & execute != 0
}

fn make(parent: &Fd, path: &CStr) -> Result<()> {
    match fs::mkdirat(parent.raw(), path, 0o700) {
        // EEXIST: another launch of the same App was faster.
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}
