//! What was measured of one way to store the tree.

use std::time::Duration;

/// Medians over the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Kernel memory per mount in bytes, page cache apart; of the unpacked tree none.
    pub kernel_memory: u64,
    /// From nothing in memory, not even the mount, to the end of the App's program.
    pub cold_start: Duration,
    /// The same again at once.
    pub warm_start: Duration,
    /// Bytes of content per second, every file read from nothing in memory.
    pub cold_read: f64,
    /// One random read of 4 KiB, opening its file included.
    pub random_read: Duration,
    /// Bytes that came from the block device meanwhile: the proof that nothing was in memory. Nothing where the
    /// file system does not say what device it is on.
    pub from_device: Option<u64>,
}

impl Figures {
    /// The medians of each figure by itself; nothing of no samples.
    pub(crate) fn median(samples: &[Self]) -> Option<Self> {
        fn middle<T: Copy>(
            samples: &[Figures],
            figure: impl Fn(&Figures) -> T,
            less: impl Fn(&T, &T) -> std::cmp::Ordering,
        ) -> Option<T> {
            let mut values: Vec<T> = samples.iter().map(figure).collect();
            values.sort_by(less);
            values.get(values.len() / 2).copied()
        }
        Some(Self {
            kernel_memory: middle(samples, |s| s.kernel_memory, Ord::cmp)?,
            cold_start: middle(samples, |s| s.cold_start, Ord::cmp)?,
            warm_start: middle(samples, |s| s.warm_start, Ord::cmp)?,
            cold_read: middle(samples, |s| s.cold_read, f64::total_cmp)?,
            random_read: middle(samples, |s| s.random_read, Ord::cmp)?,
            from_device: middle(samples, |s| s.from_device, Ord::cmp)?,
        })
    }
}
