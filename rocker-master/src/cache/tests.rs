//! The table of slots.

use super::*;
use rocker_sys::memory::Pages;
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::socket::Credentials;

const PACKET: fn() -> Packet = || Packet {
    pages: Pages::new(1).unwrap(),
    len: 1,
    peer: Credentials {
        pid: 1,
        uid: 0,
        gid: 0,
    },
};

/// A guard that has put this file into the slot that was kept for it.
fn filled(cache: &mut PackageCache, file: &core::ffi::CStr) -> Lease {
    let lease = cache.lease();
    let slot = cache.view(lease.kept(), None).free;
    let file = fs::open(file, O_RDONLY).unwrap();
    cache.choose(lease, slot, Some(file), &PACKET())
}

#[test]
fn a_guard_finds_what_another_has_mounted() {
    let mut cache = PackageCache::new(1000);
    let first = filled(&mut cache, c"/proc/self/exe");
    assert_eq!(first, Lease::Slot(0));
    let lease = cache.lease();
    let view = cache.view(lease.kept(), None);
    assert_eq!(view.packages.iter().flatten().count(), 1);
    assert_eq!(view.free, Some(1));
    let second = cache.choose(lease, Some(0), None, &PACKET());
    assert_eq!(second, first);
    assert_eq!(cache.entries(0).next().unwrap().users, 2);
    // The slot that it did not need is free again.
    let lease = cache.lease();
    assert_eq!(cache.view(lease.kept(), None).free, Some(1));
}

#[test]
fn what_is_idle_goes_in_its_time_and_not_under_a_guard_that_chooses() {
    let mut cache = PackageCache::new(1000);
    let lease = filled(&mut cache, c"/proc/self/exe");
    assert_eq!(cache.next_deadline(), None);
    cache.release(lease, 50);
    assert_eq!(cache.next_deadline(), Some(1050));
    let choosing = cache.lease();
    assert_eq!(cache.next_deadline(), None);
    assert_eq!(cache.drop_idle(), 0);
    cache.release(choosing, 2000);
    assert_eq!(cache.entries(2000).count(), 0);
}

#[test]
fn a_wrong_word_of_a_guard_is_no_harm() {
    let mut cache = PackageCache::new(1000);
    for slot in [None, Some(0), Some(7), Some(255)] {
        let lease = cache.lease();
        assert_eq!(
            cache.choose(lease, slot, None, &PACKET()),
            Lease::Nothing,
            "{slot:?}"
        );
    }
    assert_eq!((cache.choosing, cache.entries(0).count()), (0, 0));
}

#[test]
fn what_was_forgotten_is_not_found_and_its_slot_is_free_when_its_users_are_gone() {
    let mut cache = PackageCache::new(1000);
    let used = filled(&mut cache, c"/proc/self/exe");
    let late = cache.lease();
    cache.forget_all();
    // It has mounted something in a cache that is no more.
    let file = fs::open(c"/proc/self/exe", O_RDONLY).ok();
    let slot = cache.view(late.kept(), None).free;
    assert_eq!(cache.choose(late, slot, file, &PACKET()), Lease::Nothing);
    let lease = cache.lease();
    assert_eq!(
        cache
            .view(lease.kept(), None)
            .packages
            .iter()
            .flatten()
            .count(),
        0
    );
    assert_eq!(cache.view(lease.kept(), None).free, Some(1));
    cache.release(lease, 0);
    cache.release(used, 0);
    let lease = cache.lease();
    assert_eq!(cache.view(lease.kept(), None).free, Some(0));
}
