//! Packages that are none.

use rocker_client::{Failure, Request, Stage};
use rocker_testing::{Case, Master, c_path, launch, package, request, run_cases};
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("damaged_packages_are_refused", damaged_packages_are_refused),
    ("what_is_no_file_is_refused", what_is_no_file_is_refused),
];

fn request_for(package: &std::ffi::CStr) -> Request<'_> {
    Request {
        package,
        ..request()
    }
}

/// A good package with these bytes put at an offset, or cut.
fn damaged(offset: usize, bytes: &[u8], len: Option<usize>) {
    let mut image = fs::read("/run/app.sqfs").unwrap();
    image[offset..offset + bytes.len()].copy_from_slice(bytes);
    image.truncate(len.unwrap_or(image.len()));
    fs::write("/run/damaged.sqfs", image).unwrap();
}

fn damaged_packages_are_refused() {
    let _master = Master::start();
    package();
    // Offsets as in `squashfs_fs.h`: inodes 4, block size 12, compression 20, block log 22, ids 26, version 28, bytes
    // used 40, id table 48, inode table 64, directory table 72.
    let rows: [(usize, &[u8], Option<usize>, i32); 14] = [
        (0, b"HSQS", None, libc::EMEDIUMTYPE),
        (0, b"\x7fELF", None, libc::EMEDIUMTYPE),
        (0, b"", Some(0), libc::EMEDIUMTYPE),
        (0, b"", Some(4), libc::ENODATA),
        (0, b"", Some(95), libc::ENODATA),
        (4, &[0; 4], None, libc::EINVAL),
        (12, &[1, 0, 0, 0], None, libc::EINVAL),
        (20, &[2, 0], None, libc::EOPNOTSUPP),
        (20, &[99, 0], None, libc::EOPNOTSUPP),
        (22, &[31, 0], None, libc::EINVAL),
        (28, &[3, 0], None, libc::EOPNOTSUPP),
        (40, &[0xff; 8], None, libc::ENODATA),
        (64, &[0xff; 8], None, libc::EINVAL),
        (72, &[0; 8], None, libc::EINVAL),
    ];
    for (offset, bytes, len, errno) in rows {
        damaged(offset, bytes, len);
        let failure = launch(&request_for(c"/run/damaged.sqfs"), &|| 0).unwrap_err();
        let expected = Failure::new(Stage::PACKAGE_FORMAT, errno);
        assert_eq!(failure, expected, "{bytes:?} at {offset}, {len:?}");
    }
}

fn what_is_no_file_is_refused() {
    let _master = Master::start();
    let plain = request();
    let fifo = c_path("/run/fifo");
    // SAFETY: the kernel only reads the path.
    assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o666) }, 0);
    let rows = [
        (c"/run/exec", libc::EISDIR),
        (c"/run/fifo", libc::EMEDIUMTYPE),
        (c"/dev/null", libc::EMEDIUMTYPE),
        (c"/dev/loop-control", libc::EMEDIUMTYPE),
        (c"/run/rocker/master.sock", libc::EMEDIUMTYPE),
        (c"/run/missing", libc::ENOENT),
        (c"/run/app.sqfs/below", libc::ENOTDIR),
    ];
    for (package, errno) in rows {
        let failure = launch(&Request { package, ..plain }, &|| 0).unwrap_err();
        assert_eq!(
            failure,
            Failure::new(Stage::OPEN_PACKAGE, errno),
            "{package:?}"
        );
    }
}
