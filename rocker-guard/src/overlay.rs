//! `Overlays`: the directories that the App may change without the host's seeing it.

use crate::layers::{LayerStore, Layers};
use crate::mountinfo::MountInfo;
use crate::resolve::{self, PATH_MAX};
use crate::seat::Seat;
use crate::step::{At, Step};
use crate::submount;
use core::ffi::CStr;
use rocker_proto::{DataMode, Failure, Request, Stage};
use rocker_sys::fs::{self, DirEntries, Stat};
use rocker_sys::memory::Pages;
use rocker_sys::mount::{MS_NODEV, MS_NOSUID, Mount};
use rocker_sys::raw::general::{O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY};
use rocker_sys::{Errno, Fd, ProcPath, Result};

/// The most overlays in one sandbox: sixteen can be named, and a root directory rarely has more than thirty directories.
const MAX: usize = 64;

/// One directory, opened on the host before anything was mounted.
struct Overlay {
    lower: Fd,
    stat: Stat,
    /// The number in the request, or in the scan of `/`.
    index: u16,
    /// Where its canonical path ends in `Paths`, and how long it is.
    path: (usize, usize),
}

/// All of them.
pub(crate) struct Overlays<'a> {
    request: &'a Request<'a>,
    list: heapless::Vec<Overlay, MAX>,
    paths: Paths,
    data_dir: Option<Fd>,
    /// Were they named, or are they the default list?
    named: bool,
}

impl<'a> Overlays<'a> {
    /// Opens the data directory and every lower directory, so that none of them is reached through another overlay.
    pub(crate) fn open(request: &'a Request<'a>) -> Step<Self> {
        if request.data.mode != DataMode::DISK {
            return Err(Failure::new(Stage::DATA_MODE, Errno::ENOSYS.raw()));
        }
        let data_dir = request
            .data
            .needs_dir()
            .then(|| resolve::open(request.data_dir, O_DIRECTORY).at(Stage::OPEN_DATA_DIR));
        let data_dir = data_dir.transpose()?;
        let named = request.overlays.iter().any(Option::is_some);
        let paths = Paths::new().at(Stage::OPEN_OVERLAY)?;
        let mut overlays = Self {
            request,
            list: heapless::Vec::new(),
            paths,
            data_dir,
            named,
        };
        if named {
            for (index, path) in (0u16..).zip(request.overlays) {
                let Some(path) = path else { continue };
                let opened =
                    resolve::open(path, O_DIRECTORY).and_then(|lower| overlays.add(lower, index));
                opened.at_index(Stage::OPEN_OVERLAY, index)?;
            }
        } else if request.data.has_overlays() {
            overlays.add_top_level()?;
        }
        Ok(overlays)
    }

    fn add(&mut self, lower: Fd, index: u16) -> Result<()> {
        let path = self.paths.add(&lower)?;
        let stat = fs::fstat(lower.raw())?;
        self.list
            .push(Overlay {
                lower,
                stat,
                index,
                path,
            })
            .map_err(|_| Errno::E2BIG)
    }

    /// Every directory in `/` but those of the kernel and of the running system. Symbolic links are passed over: what they
    /// point to has its own entry, or is none of the top level.
    fn add_top_level(&mut self) -> Step {
        let root = fs::open(c"/", O_RDONLY | O_DIRECTORY).at(Stage::OPEN_OVERLAY)?;
        let mut buffer = [0; 2048];
        let mut index = 0u16;
        loop {
            let filled = fs::getdents64(root.raw(), &mut buffer).at(Stage::OPEN_OVERLAY)?;
            let filled = buffer.get(..filled).unwrap_or_default();
            if filled.is_empty() {
                return Ok(());
            }
            for entry in DirEntries::new(filled) {
                if matches!(
                    entry.name,
                    b"." | b".." | b"proc" | b"sys" | b"dev" | b"run"
                ) {
                    continue;
                }
                match open_dir(&root, entry.name) {
                    // A file, or a symbolic link.
                    Err(Errno::ENOTDIR | Errno::ELOOP) => continue,
                    result => result
                        .and_then(|lower| self.add(lower, index))
                        .at_index(Stage::OPEN_OVERLAY, index)?,
                }
                index = index.saturating_add(1);
            }
        }
    }

    /// Mounts them all, and binds back what was mounted below each. The seat is theirs for as long as they are mounted.
    pub(crate) fn mount(self, mounts: &MountInfo) -> Step<Option<Seat>> {
        let Some(data_dir) = &self.data_dir else {
            return Ok(None);
        };
        let store = LayerStore::open(data_dir).at(Stage::LAYERS)?;
        if !store.holds_layers().at(Stage::LAYER_FS)? {
            return Err(Failure::new(Stage::LAYER_FS, Errno::EINVAL.raw()));
        }
        let mut last = None;
        while let Some(overlay) = self.next_after(last) {
            self.mount_one(overlay, &store, mounts)?;
            last = Some(overlay.order());
        }
        Ok(Some(store.into_seat()))
    }

    /// The next one to mount: what holds another comes before it. With a table this small, looking through it costs less
    /// than the code that would sort it.
    fn next_after(&self, last: Option<(usize, u16)>) -> Option<&Overlay> {
        let rest = self
            .list
            .iter()
            .filter(|overlay| Some(overlay.order()) > last);
        rest.min_by_key(|overlay| overlay.order())
    }

    fn mount_one(&self, overlay: &Overlay, store: &LayerStore, mounts: &MountInfo) -> Step {
        let path = self.paths.get(overlay.path);
        let layers = store.layers(path, &overlay.stat, self.request, self.named);
        let layers = layers.at_index(Stage::LAYERS, overlay.index)?;
        let inside = self
            .list
            .iter()
            .any(|outer| holds(self.paths.get(outer.path), path));
        let mounted = if inside {
            // The directory of the host is covered by the outer overlay; the one to mount on is inside that.
            self.paths
                .c_str(overlay.path)
                .and_then(|path| resolve::open(path, O_DIRECTORY))
                .and_then(|target| mount_overlay(&overlay.lower, &layers, &target))
        } else {
            mount_overlay(&overlay.lower, &layers, &overlay.lower)
        };
        mounted.at_index(Stage::MOUNT_OVERLAY, overlay.index)?;
        submount::bind_back(&overlay.lower, path, mounts).at_index(Stage::SUBMOUNT, overlay.index)
    }
}

impl Overlay {
    /// A path is at least one byte longer than any directory that holds it.
    fn order(&self) -> (usize, u16) {
        (self.path.1, self.index)
    }
}

/// Does the path `inner` lie below the directory `outer`?
fn holds(outer: &[u8], inner: &[u8]) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

fn open_dir(parent: &Fd, name: &[u8]) -> Result<Fd> {
    let mut text = [0; 256];
    let slots = text.get_mut(..name.len()).ok_or(Errno::ENAMETOOLONG)?;
    // copy_from_slice would bring its check of the lengths, that is, a panic.
    for (slot, byte) in slots.iter_mut().zip(name) {
        *slot = *byte;
    }
    let name = CStr::from_bytes_until_nul(&text).map_err(|_| Errno::ENAMETOOLONG)?;
    fs::openat(parent.raw(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)
}

/// Every layer goes to the kernel as a descriptor: characters of a path mean nothing, and nothing is resolved twice.
fn mount_overlay(lower: &Fd, layers: &Layers, target: &Fd) -> Result<()> {
    let parts: [(&CStr, &Fd); 3] = [
        (c"lowerdir=", lower),
        (c",upperdir=", &layers.upper),
        (c",workdir=", &layers.work),
    ];
    let mut data = heapless::Vec::<u8, 128>::new();
    for (option, fd) in parts {
        data.extend_from_slice(option.to_bytes())
            .map_err(|_| Errno::E2BIG)?;
        data.extend_from_slice(ProcPath::new(fd.raw()).as_c_str().to_bytes())
            .map_err(|_| Errno::E2BIG)?;
    }
    data.push(0).map_err(|_| Errno::E2BIG)?;
    let data = CStr::from_bytes_until_nul(&data).map_err(|_| Errno::EINVAL)?;
    let flags = MS_NOSUID | MS_NODEV;
    Mount {
        source: Some(c"rocker"),
        fs_type: Some(c"overlay"),
        flags,
        data: Some(data),
    }
    .at(ProcPath::new(target.raw()).as_c_str())
}

/// The canonical paths of all overlays, one after another with a NUL each, in pages that nobody else needs.
struct Paths {
    pages: Pages,
    used: usize,
}

impl Paths {
    fn new() -> Result<Self> {
        // Only what is written is ever made real by the kernel.
        Ok(Self {
            pages: Pages::new(MAX.saturating_mul(PATH_MAX))?,
            used: 0,
        })
    }

    /// Adds the path that a descriptor was opened at, as the kernel knows it: without symbolic links.
    fn add(&mut self, dir: &Fd) -> Result<(usize, usize)> {
        let room = self
            .pages
            .as_mut_slice()
            .get_mut(self.used..)
            .unwrap_or_default();
        let room = room.get_mut(..PATH_MAX).ok_or(Errno::ENAMETOOLONG)?;
        let len = fs::readlinkat(fs::AT_FDCWD, ProcPath::new(dir.raw()).as_c_str(), room)?;
        if len >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let start = self.used;
        self.used = start.saturating_add(len).saturating_add(1);
        Ok((start, len))
    }

    fn get(&self, (start, len): (usize, usize)) -> &[u8] {
        let from = self.pages.as_slice().get(start..).unwrap_or_default();
        from.get(..len).unwrap_or_default()
    }

    fn c_str(&self, (start, _): (usize, usize)) -> Result<&CStr> {
        let from = self.pages.as_slice().get(start..).unwrap_or_default();
        CStr::from_bytes_until_nul(from).map_err(|_| Errno::ENAMETOOLONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_goes_by_components() {
        assert!(holds(b"/var", b"/var/lib"));
        assert!(!holds(b"/var", b"/var"));
        assert!(!holds(b"/var", b"/variable"));
        assert!(!holds(b"/var/lib", b"/var"));
    }
}
