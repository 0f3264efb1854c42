//! Packages: every kind that the kernel mounts, and none that it should not see.

use rocker_client::Request;
use rocker_pack::{Compression, Options};
use rocker_testing::{
    Case, Master, Sandbox, Traces, ask, c_path, errno_of, make_dir, mount_at, package_of, request,
    run_cases,
};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
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
    ("erofs_mounts", erofs_mounts),
    ("compressed_erofs_mounts", compressed_erofs_mounts),
    ("package_is_read_only", package_is_read_only),
    (
        "devices_and_setuid_programs_in_it_are_dead",
        devices_and_setuid_programs_in_it_are_dead,
    ),
    (
        "loop_device_is_read_only_and_autoclear",
        loop_device_is_read_only_and_autoclear,
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

fn make_erofs(options: &[&str]) -> String {
    let tree = make_tree();
    let made = Command::new("mkfs.erofs")
        .args(options)
        .arg("/run/app.erofs")
        .arg(tree)
        .output();
    let made = made.expect("mkfs.erofs is not installed: run `make test`, or install erofs-utils");
    assert!(made.status.success(), "{made:?}");
    summary(tree)
}

fn check_erofs(options: &[&str]) {
    let expected = make_erofs(options);
    let _master = Master::start();
    let found = ask(&request_for(c"/run/app.erofs"), &|| {
        let line = mount_at("/run/exec").unwrap();
        assert_eq!(line.fs_type, "erofs");
        assert!(
            ["ro", "nosuid", "nodev"]
                .iter()
                .all(|option| line.has(option)),
            "{line:?}"
        );
        summary(Path::new("/run/exec"))
    });
    assert_eq!(found, expected);
}

fn erofs_mounts() {
    check_erofs(&[]);
}

fn compressed_erofs_mounts() {
    check_erofs(&["-zlz4hc"]);
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

fn devices_and_setuid_programs_in_it_are_dead() {
    let tree = Path::new("/run/tree");
    make_dir(tree, 0o755);
    fs::copy("/usr/bin/id", tree.join("id")).unwrap();
    fs::set_permissions(tree.join("id"), PermissionsExt::from_mode(0o4755)).unwrap();
    // /dev/null, which anybody may open.
    let node = c_path(tree.join("null"));
    // SAFETY: the kernel only reads the path.
    let made = unsafe { libc::mknod(node.as_ptr(), libc::S_IFCHR | 0o666, libc::makedev(1, 3)) };
    assert_eq!(made, 0);
    fs::set_permissions(tree.join("null"), PermissionsExt::from_mode(0o666)).unwrap();
    package_of(tree, Path::new("/run/nodes.sqfs"), |_| {});
    let _master = Master::start();
    let seen = ask(&request_for(c"/run/nodes.sqfs"), &|| {
        let open = errno_of(fs::File::open("/run/exec/null"));
        let id = Command::new("/run/exec/id").arg("-u").output().unwrap();
        format!(
            "{open:?} {}",
            String::from_utf8(id.stdout).unwrap().trim_end()
        )
    });
    assert_eq!(seen, format!("{:?} 1000", Some(libc::EACCES)));
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
