//! Packages are what the kernel says they are.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::SystemTime;

use rocker_pack::{Compression, DEFAULT_TIME, Options, Owner, Time, build};

use crate::bytes::noise;
use crate::fixture::Fixture;
use crate::namespace::{Mounted, enter, have_root};
use crate::snapshot::{difference, snapshot};

const BLOCK_SIZES: [u32; 5] = [4 << 10, 16 << 10, 64 << 10, 128 << 10, 1 << 20];

/// Packs the rich tree with every block size, mounts it, and returns what differs first.
fn difference_at_any_block_size(compression: Compression) -> Option<String> {
    BLOCK_SIZES.iter().find_map(|&block_size| {
        let fixture = Fixture::rich(block_size as usize);
        let options = Options {
            compression,
            block_size,
            time: Time::Keep,
            // Levels change sizes, not the format; the best ones are slow in a debug build.
            level: compression.levels().map(|levels| *levels.start()),
            ..Options::new(fixture.tree(), fixture.package())
        };
        let summary = build(&options).unwrap();
        assert_eq!(summary.warnings, [], "{compression} {block_size}");
        let mounted = Mounted::new(&fixture.package()).unwrap();
        let difference = difference(&fixture.tree(), mounted.root());
        difference.map(|difference| format!("{compression}, {block_size}: {difference}"))
    })
}

#[test]
fn gzip_reads_back_identically() {
    if enter("mounted::gzip_reads_back_identically") {
        assert_eq!(difference_at_any_block_size(Compression::Gzip), None);
    }
}

#[test]
fn xz_reads_back_identically() {
    if enter("mounted::xz_reads_back_identically") {
        assert_eq!(difference_at_any_block_size(Compression::Xz), None);
    }
}

#[test]
fn lzo_reads_back_identically() {
    if enter("mounted::lzo_reads_back_identically") {
        assert_eq!(difference_at_any_block_size(Compression::Lzo), None);
    }
}

#[test]
fn lz4_reads_back_identically() {
    if enter("mounted::lz4_reads_back_identically") {
        assert_eq!(difference_at_any_block_size(Compression::Lz4), None);
    }
}

#[test]
fn zstd_reads_back_identically() {
    if enter("mounted::zstd_reads_back_identically") {
        assert_eq!(difference_at_any_block_size(Compression::Zstd), None);
    }
}

#[test]
fn uncompressed_reads_back_identically() {
    if enter("mounted::uncompressed_reads_back_identically") {
        assert_eq!(difference_at_any_block_size(Compression::None), None);
    }
}

#[test]
fn an_empty_tree_mounts() {
    if !enter("mounted::an_empty_tree_mounts") {
        return;
    }
    let fixture = Fixture::empty();
    build(&Options::new(fixture.tree(), fixture.package())).unwrap();

    let mounted = Mounted::new(&fixture.package()).unwrap();

    assert_eq!(fs::read_dir(mounted.root()).unwrap().count(), 0);
}

/// 5 GiB in the file, a megabyte on the disk: packing must not read the holes, nor lose what lies
/// beyond 4 GiB.
#[test]
fn a_sparse_file_of_more_than_4_gib_keeps_its_size_and_data() {
    if !enter("mounted::a_sparse_file_of_more_than_4_gib_keeps_its_size_and_data") {
        return;
    }
    const SIZE: u64 = (5 << 30) + 4321;
    let places = [0, 1 << 20, (4 << 30) - 100, (4 << 30) + 70_000, SIZE - 1000];
    let fixture = Fixture::empty();
    let file = File::create(fixture.tree().join("large")).unwrap();
    file.set_len(SIZE).unwrap();
    for place in places {
        file.write_all_at(&noise(place, 1000), place).unwrap();
    }
    build(&Options::new(fixture.tree(), fixture.package())).unwrap();

    let mounted = Mounted::new(&fixture.package()).unwrap();
    let file = File::open(mounted.root().join("large")).unwrap();

    assert_eq!(file.metadata().unwrap().size(), SIZE);
    assert!(
        file.metadata().unwrap().blocks() < 2048,
        "the holes count as used"
    );
    for place in places {
        let mut bytes = vec![0; 1000];
        file.read_exact_at(&mut bytes, place).unwrap();
        assert_eq!(bytes, noise(place, 1000), "at {place}");
    }
    let mut hole = vec![1; 4096];
    file.read_exact_at(&mut hole, 3 << 30).unwrap();
    assert_eq!(hole, [0; 4096]);
}

#[test]
fn owner_and_time_are_those_asked_for() {
    if !enter("mounted::owner_and_time_are_those_asked_for") {
        return;
    }
    let fixture = Fixture::rich(4096);
    let owner = Owner::Set { uid: 12, gid: 34 };
    build(&Options {
        owner,
        ..Options::new(fixture.tree(), fixture.package())
    })
    .unwrap();

    let mounted = Mounted::new(&fixture.package()).unwrap();

    for (name, entry) in snapshot(mounted.root()) {
        let (owner, time) = ((entry.uid, entry.gid), entry.modified);
        assert_eq!(
            (owner, time),
            ((12, 34), i64::from(DEFAULT_TIME)),
            "{name:?}"
        );
    }
}

#[test]
fn excluded_names_are_left_out_with_all_below() {
    if !enter("mounted::excluded_names_are_left_out_with_all_below") {
        return;
    }
    let fixture = Fixture::rich(4096);
    let exclude = ["/deep", "small-*", "odd/linked", "large/**"]
        .map(String::from)
        .to_vec();
    let summary = build(&Options {
        exclude,
        ..Options::new(fixture.tree(), fixture.package())
    })
    .unwrap();

    let mounted = Mounted::new(&fixture.package()).unwrap();
    let names = snapshot(mounted.root());

    assert_eq!(summary.excluded, 1 + 700 + 1 + 3001);
    assert!(
        names
            .keys()
            .all(|name| !name.starts_with("deep") && !name.ends_with("odd/linked"))
    );
    // Of the file's three names one is left, so the package says one.
    assert_eq!(names[std::path::Path::new("a-link")].links, 1);
    assert_eq!(
        names
            .keys()
            .filter(|name| name.starts_with("large"))
            .count(),
        1
    );
}

#[test]
fn an_attribute_that_squashfs_cannot_hold_is_named_once_and_counted() {
    if !have_root("mounted::an_attribute_that_squashfs_cannot_hold_is_named_once_and_counted") {
        return;
    }
    let fixture = Fixture::small();
    // POSIX ACL, version 2: user::rw- user:1:r-- group::r-- mask::r-- other::r--
    let mut acl = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (1u16, 6u16, u32::MAX),
        (2, 4, 1),
        (4, 4, u32::MAX),
        (16, 4, u32::MAX),
        (32, 4, u32::MAX),
    ] {
        acl.extend(
            tag.to_le_bytes()
                .into_iter()
                .chain(rights.to_le_bytes())
                .chain(id.to_le_bytes()),
        );
    }
    for name in ["hello", "sub/text"] {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(
            fixture.tree().join(name),
            "system.posix_acl_access",
            &acl,
            flags,
        )
        .unwrap();
    }

    let summary = build(&Options::new(fixture.tree(), fixture.package())).unwrap();

    let [warning] = &summary.warnings[..] else {
        panic!("{:?}", summary.warnings)
    };
    assert!(
        warning.what.contains("system.posix_acl_access"),
        "{warning}"
    );
    assert_eq!((warning.first.to_str(), warning.count), (Some("hello"), 2));
}

#[test]
fn a_truncated_package_does_not_mount() {
    if !enter("mounted::a_truncated_package_does_not_mount") {
        return;
    }
    let fixture = Fixture::rich(4096);
    build(&Options::new(fixture.tree(), fixture.package())).unwrap();
    let file = File::options().write(true).open(fixture.package()).unwrap();
    file.set_len(file.metadata().unwrap().len() - 8192).unwrap();

    let mounted = Mounted::new(&fixture.package());

    assert!(mounted.is_err());
    assert!(
        rocker_pack::inspect(&fixture.package())
            .unwrap()
            .is_truncated()
    );
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    if !enter("mounted::a_full_disk_is_an_error_and_leaves_nothing") {
        return;
    }
    let fixture = Fixture::small();
    fs::write(fixture.tree().join("noise"), noise(1, 1 << 20)).unwrap();
    let out = fixture.out();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("tmpfs", &out, "tmpfs", flags, Some(c"size=256k")).unwrap();

    let error = build(&Options::new(fixture.tree(), fixture.package())).unwrap_err();

    assert!(error.to_string().contains("app.sqfs"), "{error}");
    assert!(error.to_string().contains("os error 28"), "{error}");
    assert_eq!(fixture.left_behind(), [""; 0]);
    rustix::mount::unmount(&out, rustix::mount::UnmountFlags::empty()).unwrap();
}

/// Times before 1970 and after 2106 do not fit; the nearest that does is taken, with a warning.
#[test]
fn a_time_that_does_not_fit_is_clamped_with_a_warning() {
    let fixture = Fixture::small();
    let mut file = File::create(fixture.tree().join("old")).unwrap();
    file.write_all(b"old").unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(5))
        .unwrap();
    let options = Options {
        time: Time::Keep,
        ..Options::new(fixture.tree(), fixture.package())
    };

    let summary = build(&options).unwrap();

    assert_eq!(summary.warnings.len(), 1);
    assert_eq!(summary.warnings[0].first.to_str(), Some("old"));
}
