//! Packages that were found to be signed: for how long that is remembered.

use rocker_client::{CacheRequest, DEFAULT_SOCKET, ask_cache};
use rocker_sys::loop_device::LoopDevice;
use rocker_testing::{
    Case, KEYS, SIGNED, Sandbox, Signer, change_package, package_starts, run_cases_on_both_kernels,
    signature_refusal, signed_request, strict_master, with_package,
};
use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("a_package_is_read_once", a_package_is_read_once),
    (
        "a_key_that_is_gone_takes_its_packages_along",
        a_key_that_is_gone,
    ),
    (
        "a_written_package_is_verified_anew",
        a_written_package_is_verified_anew,
    ),
    (
        "a_block_device_is_verified_each_time",
        a_block_device_is_verified_each_time,
    ),
];

const LONG: u32 = 1000;

const PAGE: usize = 4096;

/// Also when its mount has gone meanwhile, and in two sandboxes at once.
fn a_package_is_read_once() {
    let (_, request) = signed_request();
    let size = fs::metadata(SIGNED).unwrap().len();
    let master = strict_master(0);
    let _master = master.traced(&["-e", "trace=pread64"]);
    let reads = || {
        let trace = fs::read_to_string("/run/trace").unwrap();
        let of_content = |line: &&str| line.ends_with(&format!("{}, 0) = {0}", size - PAGE as u64));
        trace.lines().filter(of_content).count()
    };
    assert!(package_starts(&request));
    assert_eq!(reads(), 1);
    let (first, second) = (Sandbox::start(&request), Sandbox::start(&request));
    first.end();
    second.end();
    assert!(package_starts(&request));
    assert_eq!(reads(), 1);
}

fn a_key_that_is_gone() {
    let (_, request) = signed_request();
    let second = Signer::new("second", true);
    let _master = strict_master(LONG);
    let sandbox = Sandbox::start(&request);
    fs::remove_file(format!("{KEYS}/trusted.pub")).unwrap();
    assert_eq!(signature_refusal(&request), libc::ENOKEY);
    sandbox.end();
    assert_eq!(
        signature_refusal(&request),
        libc::ENOKEY,
        "it is still mounted in the cache"
    );
    second.sign(SIGNED);
    assert!(package_starts(&request));
}

fn a_written_package_is_verified_anew() {
    let (_, request) = signed_request();
    let _master = strict_master(LONG);
    assert!(package_starts(&request));
    File::options()
        .write(true)
        .open(SIGNED)
        .unwrap()
        .write_at(b"!", 1000)
        .unwrap();
    assert_eq!(signature_refusal(&request), libc::EKEYREJECTED);
}

/// What was written below a device shows when the kernel reads it anew (`BLKFLSBUF` of `linux/fs.h`).
fn forget_blocks(node: &str) {
    let device = File::open(node).unwrap();
    // SAFETY: the request takes no argument.
    assert_eq!(unsafe { libc::ioctl(device.as_raw_fd(), 0x1261) }, 0);
}

/// What was written to the device meanwhile does not show in its node.
fn a_block_device_is_verified_each_time() {
    let (_, request) = signed_request();
    // A device is larger than the package that was written to it.
    change_package(|bytes| bytes.extend([0xff; 16 * PAGE]));
    let _master = strict_master(0);
    let file = File::options().read(true).write(true).open(SIGNED).unwrap();
    let device = LoopDevice::attach(file.as_raw_fd()).unwrap();
    let on_device = with_package(&request, device.path());
    let node = device.path().to_str().unwrap();
    fs::set_permissions(node, Permissions::from_mode(0o600)).unwrap();
    assert!(package_starts(&on_device));
    assert!(package_starts(&on_device));
    file.write_at(b"!", 1000).unwrap();
    file.sync_all().unwrap();
    forget_blocks(node);
    assert_eq!(signature_refusal(&on_device), libc::EKEYREJECTED);
    fs::set_permissions(node, Permissions::from_mode(0o660)).unwrap();
    assert_eq!(signature_refusal(&on_device), libc::EPERM);
    assert_eq!(ask_cache(DEFAULT_SOCKET, CacheRequest::Drop, |_| {}), Ok(0));
}
