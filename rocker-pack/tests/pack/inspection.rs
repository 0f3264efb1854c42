//! Reading packages, whole and damaged.

use std::fs::{self, File};
use std::path::Path;

use rocker_pack::{Compression, Format, Options, build, inspect, list};

use crate::fixture::Fixture;

fn packed(compression: Compression) -> Fixture {
    let fixture = Fixture::small();
    build(&Options {
        compression,
        ..Options::new(fixture.tree(), fixture.package())
    })
    .unwrap();
    fixture
}

fn listing(package: &Path) -> Result<String, rocker_pack::Error> {
    let mut text = Vec::new();
    list(package, &mut text)?;
    Ok(String::from_utf8(text).unwrap())
}

#[test]
fn a_package_is_described_as_it_was_made() {
    let fixture = packed(Compression::Zstd);

    let inspection = inspect(&fixture.package()).unwrap();

    let Format::Squashfs(superblock) = &inspection.format else {
        panic!("{inspection}")
    };
    assert_eq!((superblock.inodes, superblock.block_size), (5, 65536));
    assert_eq!(
        inspection.file_size,
        fs::metadata(fixture.package()).unwrap().len()
    );
    assert_eq!(inspection.warnings, [""; 0]);
    let text = inspection.to_string();
    for words in [
        "squashfs 4.0",
        "zstd",
        "64 KiB",
        "1980-01-02 00:00:00 UTC",
        "per mount",
    ] {
        assert!(text.contains(words), "{words} is missing from\n{text}");
    }
}

#[test]
fn slow_and_memory_hungry_packages_are_warned_of() {
    let fixture = Fixture::small();
    let (compression, block_size) = (Compression::Xz, 1 << 20);
    let options = Options::new(fixture.tree(), fixture.package());
    build(&Options {
        compression,
        block_size,
        ..options
    })
    .unwrap();

    let warnings = inspect(&fixture.package()).unwrap().warnings;

    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("xz") && warnings[1].contains("1024 KiB"),
        "{warnings:?}"
    );
}

#[test]
fn every_compression_can_be_listed() {
    use Compression::{Gzip, Lz4, Lzo, None, Xz, Zstd};
    for compression in [Gzip, Xz, Lzo, Lz4, Zstd, None] {
        let text = listing(&packed(compression).package()).unwrap();
        let names: Vec<_> = text
            .lines()
            .filter_map(|line| line.split("00:00:00 ").nth(1))
            .collect();
        assert_eq!(
            names,
            [
                ".",
                "./hello",
                "./sub",
                "./sub/link -> ../hello",
                "./sub/text"
            ],
            "{compression}"
        );
        assert!(text.contains(" 100000 1980-01-02"), "{text}");
    }
}

#[test]
fn every_truncation_is_noticed() {
    let fixture = packed(Compression::Zstd);
    let file = File::options().write(true).open(fixture.package()).unwrap();
    let used = inspect(&fixture.package()).unwrap().bytes_used();
    for length in (0..used).rev() {
        file.set_len(length).unwrap();
        let noticed = inspect(&fixture.package()).map_or(true, |found| found.is_truncated());
        assert!(noticed, "{length} of {used} bytes");
    }
}

#[test]
fn no_damaged_byte_brings_the_reader_down() {
    let fixture = packed(Compression::None);
    let whole = fs::read(fixture.package()).unwrap();
    let Format::Squashfs(superblock) = inspect(&fixture.package()).unwrap().format else {
        panic!()
    };
    let metadata = superblock.inode_table as usize..superblock.bytes_used as usize;
    let damaged = fixture.out().join("damaged");
    for at in (0..96).chain(metadata) {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            fs::write(&damaged, &bytes).unwrap();
            // Either may succeed: a date is as good as another. Neither may panic or run for ever.
            drop(inspect(&damaged));
            drop(listing(&damaged));
        }
    }
}

#[test]
fn what_is_no_package_is_refused() {
    let fixture = Fixture::small();
    for path in [
        fixture.tree().join("hello"),
        fixture.tree(),
        fixture.out().join("missing"),
    ] {
        let error = inspect(&path).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}
