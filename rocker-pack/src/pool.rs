//! Threads that compress blocks; results come back in the order in which the blocks went in.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::encoder::{Encoder, Encoding};
use crate::error::{Error, Result};

/// Blocks in flight per thread: enough that none waits while the oldest block is written, few enough
/// that 1 MiB blocks do not fill the memory of a build host.
const BLOCKS_PER_THREAD: usize = 4;

/// A block on its way to the disk.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    /// Whether the bytes are the input itself.
    pub(crate) stored: bool,
}

struct Job {
    input: Vec<u8>,
    reply: SyncSender<Result<Packed>>,
}

/// A queue of blocks, each with a tag that says what it is, and the threads that work on it.
pub(crate) struct Pool<Tag> {
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    waiting: VecDeque<(Tag, Receiver<Result<Packed>>)>,
    capacity: usize,
}

impl<Tag> Pool<Tag> {
    /// Starts `threads` threads, or one per processor.
    pub(crate) fn new(encoding: Encoding, threads: Option<NonZeroUsize>) -> Result<Self> {
        let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let count = threads.unwrap_or_else(available).get();
        let capacity = count * BLOCKS_PER_THREAD;
        let (jobs, queue) = sync_channel(capacity);
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = Vec::with_capacity(count);
        for _ in 0..count {
            let mut encoder = Encoder::new(encoding)?;
            let queue = Arc::clone(&queue);
            threads.push(thread::spawn(move || compress_all(&queue, &mut encoder)));
        }
        Ok(Self {
            jobs: Some(jobs),
            threads,
            waiting: VecDeque::new(),
            capacity,
        })
    }

    /// Whether a result must be taken before the next block goes in.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.capacity
    }

    /// Hands a block to the threads.
    pub(crate) fn submit(&mut self, tag: Tag, input: Vec<u8>) -> Result<()> {
        let (reply, result) = sync_channel(1);
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { input, reply }).map_err(|_| gone())?;
        self.waiting.push_back((tag, result));
        Ok(())
    }

    /// Waits for the oldest block; nothing when none is left.
    pub(crate) fn take(&mut self) -> Result<Option<(Tag, Packed)>> {
        let Some((tag, result)) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let packed = result.recv().map_err(|_| gone())??;
        Ok(Some((tag, packed)))
    }
}

impl<Tag> Drop for Pool<Tag> {
    fn drop(&mut self) {
        // The threads end when there is nobody left to send.
        self.jobs = None;
        for thread in self.threads.drain(..) {
            drop(thread.join()); // a panic there has shown up as a missing result
        }
    }
}

fn compress_all(queue: &Mutex<Receiver<Job>>, encoder: &mut Encoder) {
    loop {
        // The lock is held while waiting: one thread waits for a job, the others for the lock.
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(Job { input, reply }) = job else {
            return;
        };
        let packed = encoder.encode(&input).map(|packed| match packed {
            Some(bytes) => Packed {
                bytes,
                stored: false,
            },
            None => Packed {
                bytes: input,
                stored: true,
            },
        });
        drop(reply.send(packed)); // nobody waits any more when the build has failed
    }
}

fn gone() -> Error {
    Error::Codec {
        codec: "block",
        what: "a compressing thread has died".into(),
    }
}
