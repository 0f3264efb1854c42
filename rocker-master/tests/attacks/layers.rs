//! The layers of an App, in a data directory that belongs to the App's user.

use crate::swapper::Swapper;
use crate::victim::Victim;
use rocker_testing::{Master, launch, make_dir, request, wait_for, with_data_dir};
use std::fs;
use std::os::unix::fs::{chown, symlink};

const LAUNCHES: usize = 1_000;

/// User 1000's own idea of a store, in which the upper layer of /etc is root's own directory.
fn make_false_store() {
    make_dir("/run/u/false", 0o700);
    symlink("/run/victim", "/run/u/false/etc").unwrap();
    for path in ["/run/u", "/run/u/false"] {
        chown(path, Some(1000), Some(1000)).unwrap();
    }
}

/// What the victim sees of launches while the user puts its own store in the place of root's, and back.
fn launch_under_swapper(victim: &mut Victim) -> (usize, Vec<String>) {
    let plain = request();
    let request = with_data_dir(&plain, c"/run/u");
    let swapper = Swapper::start("/run/u/.rocker", "/run/u/false");
    let mut served = 0;
    let mut seen = victim.events();
    assert_eq!(seen, [""; 0]);
    for _ in 0..LAUNCHES {
        if let Ok(launched) = launch(&request, &|| 0) {
            served += 1;
            assert_eq!(wait_for(launched.app_pid), 0);
        }
        seen = victim.events();
        if !seen.is_empty() {
            break;
        }
    }
    swapper.end();
    (served, seen)
}

/// CVE-2021-26910: whoever may rename in the data directory may not choose what is mounted as a layer.
pub fn s26_exchanged_layers() {
    let mut victim = Victim::watch(&["/run/victim", "/run/victim/upper", "/run/victim/work0"]);
    make_false_store();
    {
        let _master = Master::start();
        let plain = request();
        let first = launch(&with_data_dir(&plain, c"/run/u"), &|| 0).unwrap();
        assert_eq!(wait_for(first.app_pid), 0);
        victim.events();
        let (served, seen) = launch_under_swapper(&mut victim);
        assert_eq!(seen, [""; 0]);
        assert!(
            (LAUNCHES / 20..LAUNCHES).contains(&served),
            "{served} served"
        );
    }
    let _master = Master::start_without("layer-store");
    let (_, seen) = launch_under_swapper(&mut victim);
    assert_ne!(seen, [""; 0], "the control");
    assert!(fs::exists("/run/victim/upper").unwrap());
}
