//! Numbers that fit no signed 32 bits: offsets in a package, ids, dates. Machines of 32 bits are where this goes wrong.

use rocker_pack::{Owner, Time};
use rocker_testing::{
    Case, Master, ask, c_path, launch, package_of, request, run_cases, wait_for, with_ids,
};
use std::fs::{self, File};
use std::io::Error;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("tables_beyond_two_gib", || check_tables_at(5 << 29)),
    ("tables_beyond_four_gib", || check_tables_at(5 << 30)),
    ("highest_ids", highest_ids),
    ("dates_after_2038", || check_date(1 << 31)),
    ("dates_before_the_end_of_squashfs", || check_date(u32::MAX)),
];

/// The largest id that there is: one more would mean none.
const HIGHEST: u32 = u32::MAX - 1;

/// The kernel reads a package's directory and inodes from so far behind its start. In between is a hole.
fn check_tables_at(distance: u64) {
    let _master = Master::start();
    let request = request();
    move_tables(Path::new("/run/app.sqfs"), distance);
    let text = ask(&request, &|| fs::read_to_string("/run/exec/hello").unwrap());
    assert_eq!(text, "hello from the package\n");
}

/// Fields of the squashfs superblock: offsets in bytes.
const BYTES_USED: usize = 40;
const ID_TABLE: usize = 48;
const INODE_TABLE: usize = 64;
const DIRECTORY_TABLE: usize = 72;
const FRAGMENT_TABLE: usize = 80;
const EXPORT_TABLE: usize = 88;

/// Moves all but the superblock and the files' data, and tells everybody who points there. These three tables are lists of
/// pointers, which here have one entry each.
fn move_tables(package: &Path, distance: u64) {
    let mut image = fs::read(package).unwrap();
    let split = get(&image, INODE_TABLE);
    for table in [ID_TABLE, FRAGMENT_TABLE, EXPORT_TABLE] {
        let list = get(&image, table);
        if list != u64::MAX {
            add(&mut image, usize::try_from(list).unwrap(), distance);
        }
    }
    for field in [
        BYTES_USED,
        ID_TABLE,
        INODE_TABLE,
        DIRECTORY_TABLE,
        FRAGMENT_TABLE,
        EXPORT_TABLE,
    ] {
        if get(&image, field) != u64::MAX {
            add(&mut image, field, distance);
        }
    }
    let (data, tables) = image.split_at(usize::try_from(split).unwrap());
    let file = File::create(package).unwrap();
    file.write_all_at(data, 0).unwrap();
    file.write_all_at(tables, split + distance).unwrap();
    assert!(file.metadata().unwrap().len() > distance);
}

fn get(image: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(image[at..at + 8].try_into().unwrap())
}

fn add(image: &mut [u8], at: usize, distance: u64) {
    let sum = get(image, at) + distance;
    image[at..at + 8].copy_from_slice(&sum.to_le_bytes());
}

/// The App is this user, its layer and the package's files are this user's.
fn highest_ids() {
    let _master = Master::start();
    let request = with_ids(&request(), 7, HIGHEST, HIGHEST);
    package_of(
        Path::new("/run/app.tree"),
        Path::new("/run/app.sqfs"),
        |options| {
            options.owner = Owner::Set {
                uid: HIGHEST,
                gid: HIGHEST,
            };
        },
    );
    let seen = ask(&request, &|| {
        fs::write("/etc/new", "x").unwrap();
        // SAFETY: nothing but integers.
        let me = [unsafe { libc::getuid() }, unsafe { libc::getgid() }];
        let owners = ["/etc/new", "/run/exec/hello"].map(|path| {
            let file = fs::metadata(path).unwrap();
            [file.uid(), file.gid()]
        });
        format!("{:?}", [me, owners[0], owners[1]])
    });
    assert_eq!(seen, format!("{:?}", [[HIGHEST; 2]; 3]));
}

/// The package's files have this date, and so has the package, by which the cache knows it.
fn check_date(seconds: u32) {
    let _master = Master::start_keeping_packages(60);
    let request = request();
    package_of(
        Path::new("/run/app.tree"),
        Path::new("/run/app.sqfs"),
        |options| {
            options.time = Time::Set(seconds);
        },
    );
    set_modified("/run/app.sqfs", i64::from(seconds));
    assert_eq!(modified("/run/app.sqfs"), i64::from(seconds));
    for _ in 0..2 {
        let launched = launch(&request, &|| {
            assert_eq!(modified("/run/exec/hello"), i64::from(seconds));
            0
        });
        assert_eq!(wait_for(launched.unwrap().app_pid), 0);
    }
}

#[cfg(target_pointer_width = "64")]
const UTIMENSAT: libc::c_long = libc::SYS_utimensat;
/// `utimensat_time64`, which libc does not name.
#[cfg(target_pointer_width = "32")]
const UTIMENSAT: libc::c_long = 412;

/// By `utimensat(2)`, with times of 64 bits on every machine.
fn set_modified(path: &str, seconds: i64) {
    let path = c_path(path);
    let times = [[seconds, 0]; 2];
    // SAFETY: a string that ends with NUL, and two of the kernel's struct timespec.
    let done =
        unsafe { libc::syscall(UTIMENSAT, libc::AT_FDCWD, path.as_ptr(), times.as_ptr(), 0) };
    assert_eq!(done, 0, "{}", Error::last_os_error());
}

/// By `statx(2)`: the time that some C libraries give for a file has 32 bits.
fn modified(path: &str) -> i64 {
    const MTIME: usize = 0x70;
    let path = c_path(path);
    let mut found = [0u8; 256];
    // SAFETY: a string that ends with NUL, and a buffer of the size of struct statx.
    let done = unsafe {
        libc::syscall(
            libc::SYS_statx,
            libc::AT_FDCWD,
            path.as_ptr(),
            0,
            libc::STATX_MTIME,
            found.as_mut_ptr(),
        )
    };
    assert_eq!(done, 0, "{}", Error::last_os_error());
    i64::from_ne_bytes(found[MTIME..MTIME + 8].try_into().unwrap())
}
