//! `Overlays`: the directories that the App may change without the host's seeing it.

use crate::layers::LayerStore;
use crate::mount_points::MountPoints;
use crate::overlay_mount::{ByNumber, OverlayMount};
use crate::paths::{Paths, holds};
use crate::seat::Seat;
use crate::step::{At, Step};
use crate::{resolve, submount, tmpfs};
use rocker_proto::{DataMode, Failure, Request, Stage};
use rocker_sys::fs::{self, DirEntries, Stat};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Errno, Fd, Result};

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
    /// Is anything mounted below it?
    has_mounts: bool,
}

/// All of them.
pub(crate) struct Overlays<'a> {
    request: &'a Request<'a>,
    /// The host's `/proc`.
    host_proc: &'a Fd,
    list: heapless::Vec<Overlay, MAX>,
    paths: Paths,
    data_dir: Option<Fd>,
    /// Were they named, or are they the default list?
    named: bool,
}

impl<'a> Overlays<'a> {
    /// None yet. It is large, so nothing here fails: the compiler would build it twice.
    pub(crate) fn of(request: &'a Request<'a>, host_proc: &'a Fd) -> Self {
        Self {
            request,
            host_proc,
            list: heapless::Vec::new(),
            paths: Paths::new(MAX),
            data_dir: None,
            named: request.overlays.iter().any(Option::is_some),
        }
    }

    /// Opens the data directory and every lower directory, so that none of them is reached through another overlay.
    #[inline(never)] // smaller by itself
    pub(crate) fn open(&mut self) -> Step {
        let request = self.request;
        if request.data.is_kept() {
            return Err(Failure::new(Stage::DATA_KEEP, Errno::ENOSYS.raw()));
        }
        if request.data.needs_dir() {
            let opened = resolve::open(request.data_dir, O_DIRECTORY);
            self.data_dir = Some(opened.at(Stage::OPEN_DATA_DIR)?);
        }
        if self.named {
            for (index, path) in (0u16..).zip(request.overlays) {
                let Some(path) = path else { continue };
                let opened =
                    resolve::open(path, O_DIRECTORY).and_then(|lower| self.add(lower, index));
                opened.at_index(Stage::OPEN_OVERLAY, index)?;
            }
        } else if request.data.has_overlays() {
            self.add_top_level()?;
        }
        Ok(())
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
                has_mounts: false,
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
                    entry.name.to_bytes(),
                    b"." | b".." | b"proc" | b"sys" | b"dev" | b"run"
                ) {
                    continue;
                }
                match resolve::open_dir(&root, entry.name, O_PATH) {
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
    #[inline(never)] // smaller by itself
    pub(crate) fn mount(&mut self, mounts: MountPoints<'_>) -> Step<Option<Seat>> {
        if self.list.is_empty() {
            return Ok(None);
        }
        self.look_for_mounts(mounts);
        let mut store = self.store()?;
        let names = ByNumber::enter()?;
        let mut last = 0;
        while let Some(overlay) = self.next_after(last) {
            self.mount_one(overlay, &mut store, &names, mounts)?;
            last = overlay.order();
        }
        Ok(store.into_seat())
    }

    /// One pass for all overlays: most have nothing mounted below them, and the table may be long.
    fn look_for_mounts(&mut self, mounts: MountPoints<'_>) {
        for mount in mounts.iter() {
            for overlay in &mut self.list {
                let below = mount.below(self.paths.get(overlay.path)).is_some();
                overlay.has_mounts |= below;
            }
        }
    }

    #[inline(never)] // smaller by itself
    fn store(&self) -> Step<LayerStore> {
        let Some(data_dir) = &self.data_dir else {
            let tmpfs = tmpfs::mount(&self.request.data, self.host_proc).at(Stage::TMPFS)?;
            return Ok(LayerStore::in_memory(tmpfs));
        };
        let store = LayerStore::on_disk(data_dir).at(Stage::LAYERS)?;
        if store.holds_layers().at(Stage::LAYER_FS)? {
            Ok(store)
        } else {
            Err(Failure::new(Stage::LAYER_FS, Errno::EINVAL.raw()))
        }
    }

    /// The next one to mount: what holds another comes before it. With a table this small, looking through it costs less
    /// than the code that would sort it.
    fn next_after(&self, last: usize) -> Option<&Overlay> {
        let mut next: Option<&Overlay> = None;
        for overlay in &self.list {
            let order = overlay.order();
            if order > last && next.is_none_or(|next| order < next.order()) {
                next = Some(overlay);
            }
        }
        next
    }

    #[inline(never)] // smaller by itself
    fn mount_one(
        &self,
        overlay: &Overlay,
        store: &mut LayerStore,
        names: &ByNumber,
        mounts: MountPoints<'_>,
    ) -> Step {
        let path = self.paths.get(overlay.path);
        let layers = store.layers(path, &overlay.stat, self.request, self.named);
        let layers = layers.at_index(Stage::LAYERS, overlay.index)?;
        let mount = |target: &Fd| {
            OverlayMount {
                lower: &overlay.lower,
                layers: &layers,
                target,
                volatile: self.request.data.mode == DataMode::VOLATILE,
            }
            .mount(names)
        };
        let mut others = self.list.iter();
        let mounted = if others.any(|outer| holds(self.paths.get(outer.path), path)) {
            // The directory of the host is covered by the outer overlay; the one to mount on is inside that.
            let target = self.paths.c_str(overlay.path);
            target.and_then(|path| mount(&resolve::open(path, O_DIRECTORY)?))
        } else {
            mount(&overlay.lower)
        };
        mounted.at_index(Stage::MOUNT_OVERLAY, overlay.index)?;
        if !overlay.has_mounts {
            return Ok(());
        }
        submount::bind_back(&overlay.lower, path, mounts).at_index(Stage::SUBMOUNT, overlay.index)
    }
}

impl Overlay {
    /// A path is at least one byte longer than any directory that holds it. Unique, and never 0.
    fn order(&self) -> usize {
        let len = self.path.1.saturating_mul(1 << u16::BITS);
        len.saturating_add(self.index.into())
    }
}
