//! What is reached by a number and not by a path: memory of System V.

use crate::entry::{Entry, Step};
use crate::loot::{holds, loot_of};
use rocker_testing::{Master, request};
use std::ptr::null;

const KEY: libc::key_t = 0x0520_c4e2;
const SECRET: &[u8] = b"in the host's memory";

/// A segment of the host's that anybody may read, as databases have them.
fn make_segment() {
    // SAFETY: integers only.
    let id = unsafe { libc::shmget(KEY, 4096, libc::IPC_CREAT | 0o666) };
    assert!(id >= 0);
    // SAFETY: a new place in this process, which nothing else uses.
    let place = unsafe { libc::shmat(id, null(), 0) }.cast::<u8>();
    // SAFETY: the segment is 4096 bytes, and the secret shorter.
    unsafe { place.copy_from(SECRET.as_ptr(), SECRET.len()) };
}

fn read_segment() -> Vec<u8> {
    // SAFETY: integers only.
    let id = unsafe { libc::shmget(KEY, 0, 0) };
    // SAFETY: as above; -1 is no segment.
    let place = unsafe { libc::shmat(id, null(), libc::SHM_RDONLY) }.cast::<u8>();
    if place as isize == -1 {
        return Vec::new();
    }
    // SAFETY: the segment is 4096 bytes.
    unsafe { std::slice::from_raw_parts(place, SECRET.len()) }.to_vec()
}

/// Cure53 ESR-01-005.
pub fn s27_shared_memory_of_the_host() {
    // The segment ends with the case: an ipc namespace of its own.
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWIPC) }, 0);
    make_segment();
    let _master = Master::start();
    let loot = loot_of(&request(), Entry::Library, &read_segment);
    assert!(!holds(&loot, SECRET));

    let loot = loot_of(&request(), Entry::Forgetting(Step::Ipc), &read_segment);
    assert!(holds(&loot, SECRET), "the control");
}
