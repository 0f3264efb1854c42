//! What a server and its sandbox keep in memory, in KiB.

use bench::proc;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// The processes' share of what they map.
pub(crate) fn pss(pids: &[i32]) -> f64 {
    // The sum of nothing is a negative zero.
    pids.iter().copied().map(proc::pss).sum::<f64>() + 0.0
}

/// How much of a file is in the page cache.
pub(crate) fn resident(path: &Path) -> f64 {
    let file = File::open(path).expect("a file");
    let len = file.metadata().expect("metadata").len() as usize;
    if len == 0 {
        return 0.0;
    }
    // SAFETY: no address is asked for, so nothing is replaced; nothing is read through it.
    let map = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            len,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    assert_ne!(map, libc::MAP_FAILED, "mmap {}", path.display());
    let mut pages = vec![0u8; len.div_ceil(PAGE)];
    // SAFETY: the mapping of above, and a byte for each of its pages.
    let done = unsafe { libc::mincore(map, len, pages.as_mut_ptr()) };
    // SAFETY: the mapping of above, which nothing refers to.
    unsafe { libc::munmap(map, len) };
    assert_eq!(done, 0, "mincore {}", path.display());
    let present = pages.iter().filter(|page| **page & 1 == 1).count();
    (present * PAGE / 1024) as f64
}

const PAGE: usize = 4096;

/// Takes a clean file that nobody maps out of the page cache.
pub(crate) fn evict(path: &Path) {
    let file = File::open(path).expect("a file");
    // SAFETY: integers only; a descriptor of ours.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
}
