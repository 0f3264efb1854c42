//! The packages and the unpacked tree take turns: whatever else the machine does meanwhile hits all alike.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::advise::cold::{Device, drop_cache, drop_caches};
use crate::advise::content::Content;
use crate::advise::figures::Figures;
use crate::advise::image::Image;
use crate::advise::kernel_use::kernel_use;
use crate::advise::stage::Stage;
use crate::advise::start::Start;
use crate::error::{Context, Error, Result};
use crate::observer::Observer;

/// Mounts that lie on each other while the kernel's memory is read, so that one is more than the noise.
const MOUNTS: usize = 8;

/// What is measured, where and how.
pub(crate) struct Trials<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) tree: &'a Path,
    pub(crate) content: &'a Content,
    pub(crate) start: Start<'a>,
    pub(crate) images: &'a [Image],
    pub(crate) observer: &'a dyn Observer,
}

/// One subject's samples, or why there are none.
type Samples = std::result::Result<Vec<Figures>, String>;

impl Trials<'_> {
    /// So many rounds; the figures of the unpacked tree, then those of each package, or why there are none.
    pub(crate) fn run(&self, rounds: usize) -> Result<Vec<std::result::Result<Figures, String>>> {
        let tree = File::open(self.tree).context("open directory", self.tree)?;
        rustix::fs::syncfs(&tree).context("sync", self.tree)?;
        self.warm_up()?;
        let mut all: Vec<Samples> = vec![Ok(Vec::new()); self.images.len() + 1];
        for _ in 0..rounds {
            self.round(&mut all)?;
        }
        let median = |samples: Samples| {
            samples.and_then(|samples| {
                Figures::median(&samples).ok_or_else(|| "not measured".to_string())
            })
        };
        Ok(all.into_iter().map(median).collect())
    }

    fn round(&self, all: &mut [Samples]) -> Result<()> {
        let subjects = std::iter::once(None).chain(self.images.iter().map(Some));
        for (subject, samples) in subjects.zip(all) {
            if let Ok(list) = samples {
                match self.sample(subject) {
                    Ok(sample) => list.push(sample),
                    Err(reason) => *samples = Err(reason),
                }
            }
            if self.observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
        }
        Ok(())
    }

    /// Loop devices that do not exist yet are made now: what they cost stays, and is no package's.
    fn warm_up(&self) -> Result<()> {
        for image in self.images {
            drop(self.memory(image)); // why it does not mount shows up in its samples
            if self.observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
        }
        Ok(())
    }

    /// Nothing stands for the unpacked tree.
    fn sample(&self, subject: Option<&Image>) -> std::result::Result<Figures, String> {
        let root = subject.map_or(self.tree, |_| self.stage.root());
        let device = match subject {
            Some(image) => image.file.metadata(),
            None => self.tree.metadata(),
        };
        let device = Device::below(&device.map_err(|e| e.to_string())?);
        let kernel_memory = subject.map_or(Ok(0), |image| self.memory(image))?;

        let (cold_start, warm_start) = self.cold(subject, |begun| {
            self.start
                .run(root, self.observer)
                .map_err(|e| e.to_string())?;
            let cold = begun.elapsed();
            let warm = self.start.run(root, self.observer);
            Ok((cold, warm.map_err(|e| e.to_string())?))
        })?;
        let count = || device.as_ref().and_then(Device::bytes_read);
        let (all, from_device) = self.cold(subject, |_| {
            let before = count();
            let all = self.content.read_all(root).map_err(|e| e.to_string())?;
            Ok((
                all,
                before.zip(count()).map(|(before, after)| after - before),
            ))
        })?;
        let random_read = self.cold(subject, |_| {
            self.content.read_randomly(root).map_err(|e| e.to_string())
        })?;
        Ok(Figures {
            kernel_memory,
            cold_start,
            warm_start,
            cold_read: self.content.bytes() as f64 / all.max(Duration::from_nanos(1)).as_secs_f64(),
            random_read,
            from_device,
        })
    }

    /// Does something with a package that has just been mounted, or the tree, when nothing of it is in memory.
    /// It is told when the mount began.
    fn cold<T>(
        &self,
        subject: Option<&Image>,
        action: impl FnOnce(Instant) -> std::result::Result<T, String>,
    ) -> std::result::Result<T, String> {
        let Some(image) = subject else {
            drop_caches(self.tree, &self.content.files)?;
            return action(Instant::now());
        };
        drop_cache(&image.file)?;
        let begun = Instant::now();
        let _mounted = self.stage.mount(image)?;
        action(begun)
    }

    /// Kernel memory of one mount: the difference that several make.
    fn memory(&self, image: &Image) -> std::result::Result<u64, String> {
        let read = || kernel_use().ok_or_else(|| "no /proc/meminfo".to_string());
        let mut mounts = Vec::with_capacity(MOUNTS);
        let before = read()?;
        for _ in 0..MOUNTS {
            mounts.push(self.stage.mount(image)?);
        }
        let used = (read()? - before).max(0) as u64; // what others give back meanwhile may exceed it
        Ok(used / MOUNTS as u64)
    }
}
