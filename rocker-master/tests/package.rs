//! Packages: every kind that the kernel mounts, and none that it should not see.

use rocker_client::{Failure, Request, Stage};
use rocker_pack::{Compression, Options};
use rocker_testing::{
    Case, Master, Sandbox, Traces, ask, c_path, errno_of, launch, make_dir, mount, mount_at,
    package_of, request, run_cases,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "every_compression_and_block_size_mounts",
        every_compression_and_block_size_mounts,
    ),
    (
        "erofs_mounts_without_a_loop_device",
        erofs_mounts_without_a_loop_device,
    ),
    ("compressed_erofs_mounts", compressed_erofs_mounts),
    (
        "erofs_mounts_by_a_loop_device",
        erofs_mounts_by_a_loop_device,
    ),
    ("package_is_read_only", package_is_read_only),
    (
        "what_follows_a_package_in_a_file_of_five_gib_does_no_harm",
        a_file_of_five_gib,
    ),
    (
        "loop_device_is_read_only_and_autoclear",
        loop_device_is_read_only_and_autoclear,
    ),
    (
        "without_loop_control_devices_are_tried_in_turn",
        without_loop_control,
    ),
    (
        "a_package_swapped_by_rename_is_the_new_one_at_the_next_launch",
        a_swapped_package,
    ),
];

fn request_for(package: &std::ffi::CStr) -> Request<'_> {
    Request {
        package,
        ..request()
    }
}

/// Files below, at and above a block, fragments, holes, links and a deep directory.
fn make_tree() -> &'static Path {
    let tree = Path::new("/run/tree");
    make_dir(tree.join("deep/er"), 0o755);
    fs::write(tree.join("empty"), "").unwrap();
    fs::write(tree.join("deep/er/small"), "small").unwrap();
    let noise: Vec<u8> = (0..2_500_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    fs::write(tree.join("noise"), &noise).unwrap();
    fs::write(tree.join("zeroes"), vec![0; 1_100_000]).unwrap();
    fs::hard_link(tree.join("noise"), tree.join("again")).unwrap();
    symlink("deep/er/small", tree.join("link")).unwrap();
    tree
}

/// What is in a tree: names, lengths and a checksum of every file.
fn summary(dir: &Path) -> String {
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let line = |path: &Path| {
        if path.is_dir() {
            return format!("{}/{}", path.file_name().unwrap().display(), summary(path));
        }
        let bytes = fs::read(path).unwrap();
        let sum = bytes.iter().fold(0u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!(
            "{} {} {sum:x}",
            path.file_name().unwrap().display(),
            bytes.len()
        )
    };
    entries
        .iter()
        .map(|path| line(path))
        .collect::<Vec<_>>()
        .join("\n")
}

fn every_compression_and_block_size_mounts() {
    let tree = make_tree();
    let expected = summary(tree);
    let _master = Master::start();
    let compressions = [
        Compression::Gzip,
        Compression::Xz,
        Compression::Lzo,
        Compression::Lz4,
        Compression::Zstd,
        Compression::None,
    ];
    for compression in compressions {
        for block_log in [12, 14, 16, 17, 18, 20] {
            let change = |options: &mut Options| {
                options.compression = compression;
                options.block_size = 1 << block_log;
                // The size is of no interest here.
                options.level = compression.levels().map(|levels| *levels.start());
            };
            package_of(tree, Path::new("/run/matrix.sqfs"), change);
            let found = ask(&request_for(c"/run/matrix.sqfs"), &|| {
                summary(Path::new("/run/exec"))
            });
            assert_eq!(found, expected, "{compression} {block_log}");
        }
    }
}

/// Makes an erofs package of the tree; gives what is in it.
fn make_erofs(package: &str, options: &[&str]) -> String {
    let tree = make_tree();
    let made = Command::new("mkfs.erofs")
        .args(options)
        .arg(package)
        .arg(tree)
        .output();
    let made = made.expect("mkfs.erofs is not installed: run `make test`, or install erofs-utils");
    assert!(made.status.success(), "{made:?}");
    summary(tree)
}

/// Mounts it and compares the content; gives what was mounted.
fn mount_erofs(package: &str, options: &[&str]) -> String {
    let expected = make_erofs(package, options);
    let _master = Master::start();
    let seen = ask(&request_for(&c_path(package)), &|| {
        let line = mount_at("/run/exec").unwrap();
        assert_eq!(line.fs_type, "erofs");
        let hard = ["ro", "nosuid", "nodev"];
        assert!(hard.iter().all(|option| line.has(option)), "{line:?}");
        format!("{}\n{}", line.source, summary(Path::new("/run/exec")))
    });
    let (source, found) = seen.split_once('\n').unwrap();
    assert_eq!(found, expected);
    source.to_owned()
}

/// From Linux 6.12 erofs reads a file itself (`CONFIG_EROFS_FS_BACKED_BY_FILE`), if its file system reads by folios: tmpfs
/// does not, ramfs does.
fn erofs_mounts_without_a_loop_device() {
    make_dir("/run/ram", 0o755);
    mount("ramfs", "/run/ram", "ramfs", 0, "mode=755").unwrap();
    let source = mount_erofs("/run/ram/app.erofs", &[]);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let mut numbers = release.split('.').map(number);
    let is_new = (numbers.next(), numbers.next()) >= (Some(6), Some(12));
    assert_eq!(source.starts_with("/dev/loop"), !is_new, "{source}");
}

fn erofs_mounts_by_a_loop_device() {
    let source = mount_erofs("/run/app.erofs", &[]);
    assert!(source.starts_with("/dev/loop"), "{source}");
}

fn compressed_erofs_mounts() {
    mount_erofs("/run/app.erofs", &["-zlz4hc"]);
}

/// Sizes beyond 2 and 4 GiB, on machines of 32 bits too. The file is sparse, and takes no room.
fn a_file_of_five_gib() {
    const SIZE: u64 = 5 << 30;
    let _master = Master::start();
    let request = request();
    let file = fs::OpenOptions::new().write(true).open("/run/app.sqfs");
    file.unwrap().set_len(SIZE).unwrap();
    let text = ask(&request, &|| {
        let device = mount_at("/run/exec").unwrap().source;
        let sectors = format!("/sys/block/{}/size", device.trim_start_matches("/dev/"));
        let hello = fs::read_to_string("/run/exec/hello").unwrap();
        hello + fs::read_to_string(sectors).unwrap().trim_end()
    });
    assert_eq!(text, format!("hello from the package\n{}", SIZE / 512));
}

fn package_is_read_only() {
    let _master = Master::start();
    let request = Request {
        uid: 1,
        gid: 1,
        ..request()
    };
    let seen = ask(&request, &|| {
        let line = mount_at("/run/exec").unwrap();
        let error = errno_of(fs::write("/run/exec/new", "x"));
        format!("{} {} {error:?}", line.fs_type, line.options[..3].join(","))
    });
    assert_eq!(
        seen,
        format!("squashfs ro,nosuid,nodev {:?}", Some(libc::EROFS))
    );
}

fn loop_device_is_read_only_and_autoclear() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let name = Traces::now(Path::new("/run/data"))
        .loop_device_names()
        .pop()
        .unwrap();
    let read = |file: &str| fs::read_to_string(format!("/sys/block/{name}/{file}")).unwrap();
    assert_eq!(read("ro").trim_end(), "1");
    assert_eq!(read("loop/autoclear").trim_end(), "1");
    sandbox.end();
}

/// A `/dev` that somebody made by hand, with devices and without what tells which of them is free.
fn without_loop_control() {
    mount("tmpfs", "/dev", "tmpfs", 0, "mode=755").unwrap();
    make_node("/dev/null", libc::S_IFCHR, libc::makedev(1, 3));
    let mut master = Master::start();
    let request = request();
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::LOOP_DEVICE, libc::ENOENT));
    for number in 0..64 {
        let path = format!("/dev/loop{number}");
        make_node(&path, libc::S_IFBLK, libc::makedev(7, number));
    }
    let first = Sandbox::start(&request);
    fs::copy("/run/app.sqfs", "/run/other.sqfs").unwrap();
    let second = Sandbox::start(&request_for(c"/run/other.sqfs"));
    let device = |sandbox: &Sandbox| mounted_for(sandbox.app_pid());
    assert_ne!(device(&first), device(&second));
    first.end();
    second.end();
    assert!(master.is_alive());
}

fn make_node(path: &str, kind: libc::mode_t, device: libc::dev_t) {
    let path = c_path(path);
    // SAFETY: a string that ends with NUL, and integers.
    let made = unsafe { libc::mknod(path.as_ptr(), kind | 0o600, device) };
    assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
}

/// The device that this process has at the exec directory.
fn mounted_for(pid: i32) -> String {
    let mounts = fs::read_to_string(format!("/proc/{pid}/mounts")).unwrap();
    let line = mounts.lines().find(|line| line.contains(" /run/exec "));
    line.unwrap().split(' ').next().unwrap().to_owned()
}

/// An update renames a new package over the old one: what runs keeps the old one.
fn a_swapped_package() {
    let _master = Master::start();
    let request = request();
    let sandbox = Sandbox::start(&request);
    make_dir("/run/new.tree", 0o755);
    fs::write("/run/new.tree/hello", "new\n").unwrap();
    package_of(
        Path::new("/run/new.tree"),
        Path::new("/run/new.sqfs"),
        |_| {},
    );
    fs::rename("/run/new.sqfs", "/run/app.sqfs").unwrap();
    let inside = format!("/proc/{}/root/run/exec/hello", sandbox.app_pid());
    assert_eq!(
        fs::read_to_string(inside).unwrap(),
        "hello from the package\n"
    );
    sandbox.end();
    let hello = || fs::read_to_string("/run/exec/hello").unwrap();
    // `request` itself would pack the old tree again.
    assert_eq!(ask(&request, &hello), "new\n");
}
