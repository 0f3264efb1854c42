//! The files of a tree, and reading them.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::tree::{Kind, Tree};

/// What `cp` and `cat` read at a time.
const CHUNK: usize = 128 << 10;

const PAGE: u64 = 4096;

/// Random reads per sample, and the time after which it is enough: xz in large blocks takes 10 ms for each.
const READS: u32 = 400;
const ENOUGH: Duration = Duration::from_secs(1);

/// Which files there are, by path within the tree.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) files: Vec<PathBuf>,
    /// Where each file begins if all stood in one row, and the end of the last.
    starts: Vec<u64>,
    /// The largest executable, else the largest file.
    pub(crate) largest: Option<PathBuf>,
}

impl Content {
    /// Of a scanned tree, in the order of the paths; a file of several names once.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut files: Vec<(PathBuf, u64, bool)> = (0..tree.inodes.len())
            .filter_map(|index| match &tree.inodes[index].kind {
                Kind::File(stamp) => {
                    let executable = tree.inodes[index].mode & 0o111 != 0;
                    Some((tree.relative_path(index), stamp.size, executable))
                }
                _ => None,
            })
            .collect();
        files.sort();
        let largest = files.iter().max_by_key(|file| (file.2, file.1));
        let largest = largest.map(|file| file.0.clone());
        let mut starts = vec![0];
        starts.extend(files.iter().scan(0, |end, file| {
            *end += file.1;
            Some(*end)
        }));
        Self {
            files: files.into_iter().map(|file| file.0).collect(),
            starts,
            largest,
        }
    }

    /// Bytes in all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Reads every file below `root`, one after the other.
    pub(crate) fn read_all(&self, root: &Path) -> io::Result<Duration> {
        let started = Instant::now();
        for file in &self.files {
            read_file(&root.join(file))?;
        }
        Ok(started.elapsed())
    }

    /// Opens a file and reads 4 KiB of it, again and again, each byte of the tree being as likely as any other. The
    /// places are the same at every call. The mean time of one.
    pub(crate) fn read_randomly(&self, root: &Path) -> io::Result<Duration> {
        let mut page = [0; PAGE as usize];
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let started = Instant::now();
        let mut reads = 0;
        while reads < READS && started.elapsed() < ENOUGH && self.bytes() > 0 {
            let place = next(&mut state) % self.bytes();
            let index = self.starts.partition_point(|&start| start <= place) - 1; // the first start is 0
            let offset = (place - self.starts[index]) / PAGE * PAGE;
            File::open(root.join(&self.files[index]))?.read_at(&mut page, offset)?;
            reads += 1;
        }
        Ok(started.elapsed() / reads.max(1))
    }
}

/// Reads a file from its beginning to its end.
pub(crate) fn read_file(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    while file.read(&mut chunk)? > 0 {}
    Ok(())
}

/// xorshift64: enough to be unpredictable for read-ahead.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
