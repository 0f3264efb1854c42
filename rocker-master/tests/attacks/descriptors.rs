//! Descriptors that were never meant for a sandbox: somebody has forgotten close-on-exec.

use crate::entry::Entry;
use crate::loot::{Intruder, holds, loot_of, unfiltered};
use rocker_testing::{Master, Sandbox, ask_shell, descriptors_of, make_dir};
use std::fs::{self, File};
use std::os::fd::AsRawFd;

/// A directory below one that is root's alone: who holds it open needs no way there.
const INNER: &str = "/run/closed/inner";
const SECRET: &str = "out of reach";

/// At least so many of those that are made stay: a test may want one of their numbers.
const LEAKED: usize = 190;

/// Leaves `INNER` open 200 times in this process, for all that it makes.
fn leak() {
    make_dir("/run/closed", 0o700);
    make_dir(INNER, 0o755);
    fs::write("/run/closed/inner/secret", SECRET).unwrap();
    let dir = File::open(INNER).unwrap();
    for _ in 0..200 {
        // SAFETY: integers only: a copy without close-on-exec, left open on purpose.
        assert!(unsafe { libc::dup(dir.as_raw_fd()) } > 0);
    }
}

fn leaked(pid: i32) -> usize {
    let targets = descriptors_of(pid).into_values();
    targets.filter(|target| target == INNER).count()
}

/// CVE-2024-21626. Whoever starts the master may have leaked them.
pub fn s04_descriptors_of_the_master() {
    leak();
    let leaked_to_guard = |master: &Master| {
        assert!(leaked(master.pid()) >= LEAKED);
        let sandbox = Sandbox::start(&unfiltered());
        let count = leaked(sandbox.guard_pid());
        sandbox.end();
        count
    };
    assert_eq!(leaked_to_guard(&Master::start()), 0);
    let weakened = Master::start_without("descriptors");
    assert!(leaked_to_guard(&weakened) >= LEAKED, "the control");
}

/// By each number that could be one.
fn read_by_descriptors() -> Vec<u8> {
    let paths = (0..256).map(|number| format!("/proc/self/fd/{number}/secret"));
    paths
        .filter_map(|path| fs::read(path).ok())
        .flatten()
        .collect()
}

/// An AppMaster leaks them. A program has none of them; a function in a fork of the AppMaster does, as `lib.h` says, and is
/// the control.
pub fn s04_descriptors_of_the_app_master() {
    leak();
    let _master = Master::start();
    let script = "cat /proc/self/fd/*/secret 2> /dev/null || true";
    let loot = ask_shell(&unfiltered(), script);
    assert!(!holds(loot.as_bytes(), SECRET.as_bytes()));

    let loot = loot_of(&unfiltered(), Entry::Library, &read_by_descriptors);
    assert!(holds(&loot, SECRET.as_bytes()), "the control");
    let intruder = Intruder::send(&unfiltered(), Entry::Library, &Vec::new);
    assert!(leaked(intruder.app_pid) >= LEAKED, "the control");
    intruder.end();
}
