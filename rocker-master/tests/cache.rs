//! The package cache: one mount for every sandbox of a package, for as long as it is wanted and no longer.

use rocker_client::{CacheRequest, DEFAULT_SOCKET, Request, ask_cache};
use rocker_sys::loop_device::LoopDevice;
use rocker_testing::{
    Case, Master, Sandbox, Traces, ask, c_path, eventually, mount_tmpfs, mounts, mounts_of,
    package_of, request, run_cases_on_both_kernels, with_overlays, with_package,
};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "live_sandboxes_share_a_package",
        live_sandboxes_share_a_package,
    ),
    (
        "a_package_stays_for_the_next_launch",
        a_package_stays_for_the_next_launch,
    ),
    (
        "it_goes_when_it_was_idle_for_long_enough",
        it_goes_when_idle_for_long_enough,
    ),
    (
        "a_renamed_package_is_a_new_one",
        a_renamed_package_is_a_new_one,
    ),
    (
        "a_rewritten_package_is_a_new_one",
        a_rewritten_package_is_a_new_one,
    ),
    ("drop_spares_what_is_used", drop_spares_what_is_used),
    ("it_dies_with_the_master", it_dies_with_the_master),
    ("no_app_sees_it", no_app_sees_it),
    (
        "a_full_cache_drops_what_is_idle",
        a_full_cache_drops_what_is_idle,
    ),
    (
        "a_cache_that_is_in_use_is_done_without",
        a_cache_that_is_in_use_is_done_without,
    ),
    (
        "late_mounts_of_the_host_are_seen",
        late_mounts_of_the_host_are_seen,
    ),
    (
        "the_host_can_unmount_what_the_master_had_seen",
        the_host_can_unmount,
    ),
    (
        "a_block_device_is_mounted_directly",
        a_block_device_is_mounted_directly,
    ),
];

const LONG: u32 = 1000;
const LIMIT: Duration = Duration::from_secs(5);

fn loop_devices() -> Vec<String> {
    Traces::now(Path::new("/run/data")).loop_device_names()
}

/// The device number of the package's mount: that of its superblock.
fn superblock(sandbox: &Sandbox) -> u64 {
    let exec_dir = format!("/proc/{}/root/run/exec", sandbox.app_pid());
    fs::metadata(exec_dir).unwrap().dev()
}

fn content(request: &Request<'_>) -> String {
    ask(request, &|| fs::read_to_string("/run/exec/hello").unwrap())
}

/// `package  users`, in the order of the cache.
fn list() -> Vec<String> {
    let mut lines = Vec::new();
    ask_cache(DEFAULT_SOCKET, CacheRequest::List, |entry| {
        let package = entry.package.unwrap().to_str().unwrap();
        lines.push(format!("{package} {}", entry.users));
    })
    .unwrap();
    lines
}

fn drop_idle() -> u32 {
    ask_cache(DEFAULT_SOCKET, CacheRequest::Drop, |_| {}).unwrap()
}

fn hello(text: &str, package: &str) {
    let tree = Path::new("/run/other.tree");
    fs::create_dir_all(tree).unwrap();
    fs::write(tree.join("hello"), text).unwrap();
    package_of(tree, Path::new(package), |_| {});
}

fn live_sandboxes_share_a_package() {
    let _master = Master::start();
    let request = request();
    let (first, second) = (Sandbox::start(&request), Sandbox::start(&request));
    assert_eq!(superblock(&first), superblock(&second));
    assert_eq!(loop_devices().len(), 1);
    assert_eq!(list(), ["/run/app.sqfs 2"]);
    first.end();
    eventually("one is left", LIMIT, || list() == ["/run/app.sqfs 1"]);
    let third = Sandbox::start(&request);
    assert_eq!(superblock(&second), superblock(&third));
    second.end();
    third.end();
    eventually("nothing is mounted", LIMIT, || loop_devices().is_empty());
    assert!(list().is_empty());
}

fn a_package_stays_for_the_next_launch() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    let sandbox = Sandbox::start(&request);
    let (before, device) = (superblock(&sandbox), loop_devices());
    sandbox.end();
    eventually("it is idle", LIMIT, || list() == ["/run/app.sqfs 0"]);
    assert_eq!(loop_devices(), device);
    let sandbox = Sandbox::start(&request);
    assert_eq!(superblock(&sandbox), before);
    sandbox.end();
}

fn it_goes_when_idle_for_long_enough() {
    let _master = Master::start_keeping_packages(1);
    Sandbox::start(&request()).end();
    assert_eq!(loop_devices().len(), 1);
    eventually("its time is over", LIMIT, || loop_devices().is_empty());
    assert!(list().is_empty());
}

fn a_renamed_package_is_a_new_one() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    assert_eq!(content(&request), "hello from the package\n");
    hello("new\n", "/run/new.sqfs");
    fs::rename("/run/new.sqfs", "/run/app.sqfs").unwrap();
    assert_eq!(content(&request), "new\n");
    assert_eq!(loop_devices().len(), 2);
    assert_eq!(drop_idle(), 2);
    assert!(loop_devices().is_empty());
}

fn a_rewritten_package_is_a_new_one() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    assert_eq!(content(&request), "hello from the package\n");
    hello("hello from other bytes\n", "/run/new.sqfs");
    fs::write("/run/app.sqfs", fs::read("/run/new.sqfs").unwrap()).unwrap();
    assert_eq!(content(&request), "hello from other bytes\n");
}

fn drop_spares_what_is_used() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    hello("other\n", "/run/other.sqfs");
    content(&with_package(&request, c"/run/other.sqfs"));
    let sandbox = Sandbox::start(&request);
    eventually("one is idle", LIMIT, || {
        list() == ["/run/other.sqfs 0", "/run/app.sqfs 1"]
    });
    assert_eq!(drop_idle(), 1);
    assert_eq!(list(), ["/run/app.sqfs 1"]);
    assert_eq!(loop_devices().len(), 1);
    sandbox.end();
}

fn it_dies_with_the_master() {
    let mut master = Master::start_keeping_packages(LONG);
    Sandbox::start(&request()).end();
    assert_eq!(loop_devices().len(), 1);
    master.kill(libc::SIGKILL);
    eventually("nothing is left", LIMIT, || loop_devices().is_empty());
}

/// Also where the directory is overlaid in which it could lie, and everything mounted there is bound back.
fn no_app_sees_it() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    hello("other\n", "/run/other.sqfs");
    content(&with_package(&request, c"/run/other.sqfs"));
    // Not below what is overlaid, where `/run/data` is.
    mount_tmpfs("/mnt", 0);
    fs::create_dir("/mnt/data").unwrap();
    let request = Request {
        data_dir: c"/mnt/data",
        ..with_overlays(&request, &[c"/etc", c"/run"])
    };
    let seen = ask(&request, &|| {
        let packages = mounts()
            .into_iter()
            .filter(|line| line.fs_type == "squashfs");
        let points = packages.map(|line| String::from_utf8(line.point).unwrap());
        let driver = mounts().iter().any(|line| line.point == b"/proc/driver");
        format!("{:?} {driver}", points.collect::<Vec<_>>())
    });
    assert_eq!(seen, r#"["/run/exec"] false"#);
}

/// A package of its own for each number.
fn numbered(number: usize) -> std::ffi::CString {
    let path = format!("/run/{number}.sqfs");
    hello(&format!("{number}\n"), &path);
    c_path(path)
}

/// As many as the cache has slots.
const SLOTS: usize = 32;

fn a_full_cache_drops_what_is_idle() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    for number in 0..=SLOTS {
        let package = numbered(number);
        let text = content(&with_package(&request, &package));
        assert_eq!(text, format!("{number}\n"));
    }
    let left = list();
    assert_eq!(left.len(), SLOTS);
    assert!(!left.contains(&"/run/0.sqfs 0".to_owned()), "{left:?}");
    assert_eq!(loop_devices().len(), SLOTS);
}

fn a_cache_that_is_in_use_is_done_without() {
    let _master = Master::start();
    let request = request();
    let sandboxes: Vec<Sandbox> = (0..SLOTS + 1)
        .map(|number| Sandbox::start(&with_package(&request, &numbered(number))))
        .collect();
    assert_eq!(list().len(), SLOTS);
    let last = sandboxes.last().unwrap();
    let hello = format!("/proc/{}/root/run/exec/hello", last.app_pid());
    assert_eq!(fs::read_to_string(hello).unwrap(), format!("{SLOTS}\n"));
    sandboxes.into_iter().for_each(Sandbox::end);
    eventually("nothing is left", LIMIT, || loop_devices().is_empty());
}

/// The case's mounts are private, as on a system without systemd: nothing propagates to the master.
fn late_mounts_of_the_host_are_seen() {
    let _master = Master::start_keeping_packages(LONG);
    let request = request();
    let sandbox = Sandbox::start(&request);
    let before = superblock(&sandbox);
    mount_tmpfs("/run/late", 0);
    fs::write("/run/late/file", "late\n").unwrap();
    let seen = ask(&request, &|| fs::read_to_string("/run/late/file").unwrap());
    assert_eq!(seen, "late\n");
    sandbox.end();
    // The cache came along, where the kernel has open_tree (5.2); else it was begun anew.
    let sandbox = Sandbox::start(&request);
    let came_along = superblock(&sandbox) == before;
    assert_eq!(came_along, rocker_testing::has_pidfds());
    sandbox.end();
}

fn the_host_can_unmount() {
    mount_tmpfs("/run/medium", 0);
    let master = Master::start();
    let sees = || {
        let mounts = mounts_of(master.pid());
        mounts.iter().any(|mount| mount.point == b"/run/medium")
    };
    assert!(sees());
    let path = c_path("/run/medium");
    // SAFETY: a path that outlives the call.
    let done = unsafe { libc::umount2(path.as_ptr(), 0) };
    assert_eq!(done, 0);
    eventually("the master has let go of it", LIMIT, || !sees());
}

fn a_block_device_is_mounted_directly() {
    let _master = Master::start();
    let request = request();
    let file = fs::File::open("/run/app.sqfs").unwrap();
    let device = LoopDevice::attach(file.as_raw_fd()).unwrap();
    let on_device = with_package(&request, device.path());
    let (first, second) = (Sandbox::start(&on_device), Sandbox::start(&on_device));
    let text = content(&on_device);
    assert_eq!(text, "hello from the package\n");
    assert_eq!(superblock(&first), superblock(&second));
    assert_eq!(loop_devices().len(), 1, "no device on top of the device");
    assert!(list().is_empty());
    first.end();
    second.end();
}
