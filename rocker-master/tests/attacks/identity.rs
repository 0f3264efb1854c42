//! Who the App is: an attacker that would be more than the user it was given.

use crate::entry::{Entry, Step};
use crate::loot::{Intruder, holds, loot_of, unfiltered};
use rocker_client::Request;
use rocker_testing::{Master, Peer, make_dir, status_of};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

const SECRET: &str = "for root's eyes";
const FILE: &str = "/run/root-s/file";

/// A file of root's with the secret, in a directory that anybody may search.
fn make_secret(mode: u32, group: u32) {
    make_dir("/run/root-s", 0o755);
    fs::write(FILE, SECRET).unwrap();
    fs::set_permissions(FILE, PermissionsExt::from_mode(mode)).unwrap();
    chown(FILE, Some(0), Some(group)).unwrap();
}

fn read_secret() -> Vec<u8> {
    fs::read(FILE).unwrap_or_default()
}

/// Reads the secret, then writes over it.
fn read_and_write() -> Vec<u8> {
    let loot = read_secret();
    if let Ok(mut file) = OpenOptions::new().write(true).open(FILE) {
        file.write_all(b"for everyone's ").unwrap();
    }
    loot
}

/// The original's App kept host uid 0 inside, and with it every file of root's.
pub fn s01_app_as_host_root() {
    make_secret(0o600, 0);
    let _master = Master::start();
    let intruder = Intruder::send(&unfiltered(), Entry::Library, &read_and_write);
    for field in ["Uid", "Gid"] {
        assert_eq!(status_of(intruder.app_pid, field), "1000 1000 1000 1000");
    }
    assert_eq!(status_of(intruder.app_pid, "NoNewPrivs"), "1");
    assert!(!holds(&intruder.end(), SECRET.as_bytes()));
    assert_eq!(fs::read_to_string(FILE).unwrap(), SECRET);

    let careless = Entry::Forgetting(Step::Identity);
    let loot = loot_of(&unfiltered(), careless, &read_and_write);
    assert!(holds(&loot, SECRET.as_bytes()), "the control");
    assert_ne!(fs::read_to_string(FILE).unwrap(), SECRET, "the control");
}

fn mount_namespace_of(pid: i32) -> String {
    let link = fs::read_link(format!("/proc/{pid}/ns/mnt")).unwrap();
    link.display().to_string()
}

/// Does an App with what is left of its privileges get a mount namespace of its own?
fn leaves_its_namespace(entry: Entry) -> bool {
    let intruder = Intruder::send(&unfiltered(), entry, &|| {
        // SAFETY: integers only.
        unsafe { libc::setuid(0) };
        // SAFETY: as above.
        unsafe { libc::unshare(libc::CLONE_NEWNS) };
        Vec::new()
    });
    let left = mount_namespace_of(intruder.app_pid) != mount_namespace_of(intruder.guard_pid);
    let map = fs::read_to_string(format!("/proc/{}/uid_map", intruder.app_pid)).unwrap();
    let ids: Vec<_> = map.split_whitespace().collect();
    assert_eq!(ids, ["1000", "1000", "1"], "nobody is root in there");
    intruder.end();
    left
}

pub fn s17_privileges_in_the_user_namespace() {
    let _master = Master::start();
    assert!(!leaves_its_namespace(Entry::Library));
    assert!(
        leaves_its_namespace(Entry::Forgetting(Step::Capabilities)),
        "the control"
    );
}

/// 42 is Debian's group `shadow`.
pub fn s18_groups_of_the_app_master() {
    make_secret(0o640, 42);
    let groups: [libc::gid_t; 2] = [6, 42];
    // SAFETY: the kernel reads as many groups as the array has.
    assert_eq!(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }, 0);
    let _master = Master::start();
    let loot = loot_of(&unfiltered(), Entry::Library, &read_secret);
    assert!(!holds(&loot, SECRET.as_bytes()));

    let loot = loot_of(&unfiltered(), Entry::Forgetting(Step::Groups), &read_secret);
    assert!(holds(&loot, SECRET.as_bytes()), "the control");
}

const SETS: [&str; 5] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

/// Which of the App's sets are not empty?
fn capabilities_left(entry: Entry) -> Vec<&'static str> {
    let intruder = Intruder::send(&unfiltered(), entry, &Vec::new);
    let is_left = |set: &&str| status_of(intruder.app_pid, set) != "0000000000000000";
    let left = SETS.into_iter().filter(is_left).collect();
    intruder.end();
    left
}

/// An AppMaster that hands its capabilities to whatever it executes.
pub fn s24_capabilities_handed_down() {
    let header = [0x2008_0522u32, 0];
    // Twice effective, permitted, inheritable.
    let mut sets = [0u32; 6];
    // SAFETY: for a header of version 3 the kernel writes two structures of three words.
    unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) };
    (sets[2], sets[5]) = (sets[1], sets[4]);
    // SAFETY: as above, but that they are read.
    unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
    for capability in 0..41 {
        // SAFETY: integers only.
        unsafe {
            libc::prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_RAISE,
                capability,
                0,
                0,
            )
        };
    }
    for set in SETS {
        assert_ne!(status_of(1, set), "0000000000000000", "{set}");
    }
    let _master = Master::start();
    assert_eq!(capabilities_left(Entry::Library), [""; 0]);
    let left = capabilities_left(Entry::Forgetting(Step::Capabilities));
    assert!(!left.is_empty(), "the control");
}

/// How many guards are there while an App that has asked the master itself waits for its sandbox?
fn guards_after_asking_from_inside(request: &Request<'_>, master: &Master, entry: Entry) -> usize {
    let packet = request.encode().unwrap();
    let intruder = Intruder::send(request, entry, &|| {
        if let Ok(peer) = Peer::connect() {
            if peer.send(&packet).is_ok() {
                peer.receive(Duration::from_secs(5));
            }
            // As long as the connection lives, so does the guard.
            std::mem::forget(peer);
        }
        Vec::new()
    });
    let guards = master.guards().len();
    assert!(Path::new(&format!("/proc/{}", intruder.guard_pid)).exists());
    intruder.end();
    guards
}

pub fn d11_master_asked_from_inside() {
    let request = unfiltered();
    let master = Master::start();
    let guards = |entry| guards_after_asking_from_inside(&request, &master, entry);
    assert_eq!(guards(Entry::Library), 1);
    let careless = Entry::Forgetting(Step::Identity);
    assert_eq!(guards(careless), 2, "the control");
}
