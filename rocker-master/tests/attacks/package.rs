//! Hostile packages.

use crate::entry::Entry;
use crate::loot::loot_of;
use rocker_client::Request;
use rocker_testing::{Master, c_path, launch, make_dir, package_of, request, with_package};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A device that anybody may open (/dev/zero), and a program that runs as root: it makes a file in a directory of root's.
fn make_package() {
    let tree = Path::new("/run/tree");
    make_dir(tree, 0o755);
    fs::copy("/usr/bin/touch", tree.join("touch")).unwrap();
    fs::set_permissions(tree.join("touch"), PermissionsExt::from_mode(0o4755)).unwrap();
    let node = c_path(tree.join("zero"));
    // SAFETY: the kernel only reads the path.
    let made = unsafe { libc::mknod(node.as_ptr(), libc::S_IFCHR | 0o666, libc::makedev(1, 5)) };
    assert_eq!(made, 0);
    fs::set_permissions(tree.join("zero"), PermissionsExt::from_mode(0o666)).unwrap();
    package_of(tree, Path::new("/run/hostile.sqfs"), |_| {});
}

fn use_devices() -> Vec<u8> {
    Command::new("/run/exec/touch")
        .arg("/run/root-s/touched")
        .status()
        .unwrap();
    let mut zeroes = [1; 16];
    match File::open("/run/exec/zero").and_then(|mut file| file.read_exact(&mut zeroes)) {
        Ok(()) => zeroes.to_vec(),
        Err(_) => Vec::new(),
    }
}

/// That a program may not raise its privileges is seen to thrice: nosuid, `no_new_privs`, and uid 0 is not mapped.
pub fn s11_devices_and_setuid_programs() {
    make_package();
    make_dir("/run/root-s", 0o755);
    let plain = request();
    let request = with_package(&plain, c"/run/hostile.sqfs");
    {
        let _master = Master::start();
        assert_eq!(loot_of(&request, Entry::Library, &use_devices), [0; 0]);
        assert!(!fs::exists("/run/root-s/touched").unwrap());
    }
    let _master = Master::start_without("nodev");
    let loot = loot_of(&request, Entry::Library, &use_devices);
    assert_eq!(loot, [0; 16], "the control");
}

/// How far does it get in the kernel? strace looks at all that master and guard do.
fn reaches(request: &Request<'_>, mut master: Master) -> Vec<&'static str> {
    launch(request, &|| 0).unwrap_err();
    master.end_trace();
    let trace = fs::read_to_string("/run/trace").unwrap();
    let mut words = vec!["LOOP_", "squashfs"];
    words.retain(|word| trace.contains(word));
    words
}

/// Trosinenko 2018: blocks of 2^31 bytes, from a superblock that the kernel's squashfs has not always doubted.
pub fn s12_damaged_superblock() {
    const BLOCK_LOG: usize = 22;
    let plain = request();
    let mut image = fs::read("/run/app.sqfs").unwrap();
    image[BLOCK_LOG..BLOCK_LOG + 2].copy_from_slice(&[31, 0]);
    fs::write("/run/damaged.sqfs", image).unwrap();
    let request = with_package(&plain, c"/run/damaged.sqfs");
    let trace = ["-e", "trace=mount,ioctl"];
    assert_eq!(reaches(&request, Master::start_traced(&trace)), [""; 0]);
    let weakened = Master::start_without("superblock").traced(&trace);
    assert_eq!(
        reaches(&request, weakened),
        ["LOOP_", "squashfs"],
        "the control"
    );
}
