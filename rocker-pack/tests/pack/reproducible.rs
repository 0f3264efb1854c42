//! The same tree gives the same bytes.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rocker_pack::{Compression, Options, Summary, build};

use crate::bytes::{noise, text};
use crate::fixture::Fixture;

/// Files whose content, and so whose place in fragments, differs; made in the order of `seeds`.
fn populate(tree: &Path, seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let directory = tree.join(format!("d{}", seed % 7));
        fs::create_dir_all(&directory).unwrap();
        fs::write(
            directory.join(format!("text{seed}")),
            text(seed, seed as usize * 997),
        )
        .unwrap();
        fs::write(directory.join(format!("twin{seed}")), text(seed / 2, 5000)).unwrap();
        fs::write(
            directory.join(format!("noise{seed}")),
            noise(seed, seed as usize * 499),
        )
        .unwrap();
    }
}

fn pack(fixture: &Fixture, change: impl FnOnce(&mut Options)) -> (Vec<u8>, Summary) {
    let mut options = Options::new(fixture.tree(), fixture.package());
    options.force = true;
    options.level = Some(3);
    change(&mut options);
    let summary = build(&options).unwrap();
    (fs::read(fixture.package()).unwrap(), summary)
}

#[test]
fn neither_the_order_of_creation_nor_times_nor_the_place_matter() {
    let (forwards, backwards) = (Fixture::empty(), Fixture::empty());
    populate(&forwards.tree(), 0..100);
    populate(&backwards.tree(), (0..100).rev());
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1234);
    File::open(backwards.tree().join("d3"))
        .unwrap()
        .set_modified(time)
        .unwrap();

    let (first, _) = pack(&forwards, |_| {});
    let (second, _) = pack(&backwards, |_| {});

    assert!(first == second, "the packages differ");
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let fixture = Fixture::empty();
    populate(&fixture.tree(), 0..100);
    let compressions = [
        Compression::Gzip,
        Compression::Xz,
        Compression::Lz4,
        Compression::Zstd,
        Compression::None,
    ];
    for compression in compressions {
        let with = |threads| {
            let (bytes, _) = pack(&fixture, |options| {
                options.compression = compression;
                options.level = compression.levels().map(|_| 3);
                options.block_size = 4096;
                options.threads = NonZeroUsize::new(threads);
            });
            bytes
        };

        let (one, seven) = (with(1), with(7));

        assert!(one == seven, "{compression}: the packages differ");
    }
}

#[test]
fn content_that_repeats_is_stored_once() {
    let (once, often) = (Fixture::empty(), Fixture::empty());
    for (fixture, copies) in [(&once, 1), (&often, 50)] {
        for copy in 0..copies {
            fs::write(
                fixture.tree().join(format!("large{copy}")),
                noise(1, 200_000),
            )
            .unwrap();
            fs::write(fixture.tree().join(format!("small{copy}")), noise(2, 2000)).unwrap();
        }
    }

    let (_, single) = pack(&once, |_| {});
    let (_, many) = pack(&often, |_| {});

    assert_eq!((many.files, many.repeats), (100, 98));
    assert!(
        many.package < single.package + 8192,
        "{} against {}",
        many.package,
        single.package
    );
}

#[test]
fn the_summary_counts_what_was_packed() {
    let fixture = Fixture::small();
    fs::hard_link(fixture.tree().join("hello"), fixture.tree().join("again")).unwrap();
    File::create(fixture.tree().join("hole"))
        .unwrap()
        .set_len(1 << 20)
        .unwrap();

    let (bytes, summary) = pack(&fixture, |_| {});

    assert_eq!(
        (summary.files, summary.directories, summary.symlinks),
        (3, 2, 1)
    );
    assert_eq!(summary.hard_links, 1);
    assert_eq!(summary.apparent, 6 + 100_000 + (1 << 20));
    // Two directories, the small file, the large one; the hole takes nothing.
    assert_eq!(summary.on_disk, 2 * 4096 + 4096 + 102_400);
    assert_eq!(summary.package, bytes.len() as u64);
    assert_eq!(bytes.len() % 4096, 0);
}

#[test]
fn python_bytecode_that_a_new_time_would_spoil_is_pointed_out() {
    let fixture = Fixture::small();
    let by_time = [b'P', b'Y', 13, 10, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    let by_hash = [b'P', b'Y', 13, 10, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    fs::write(fixture.tree().join("a.pyc"), by_time).unwrap();
    fs::write(fixture.tree().join("b.pyc"), by_hash).unwrap();

    let (_, reset) = pack(&fixture, |_| {});
    let (_, kept) = pack(&fixture, |options| options.time = rocker_pack::Time::Keep);

    assert_eq!(reset.warnings.len(), 1);
    assert_eq!(
        (reset.warnings[0].first.to_str(), reset.warnings[0].count),
        (Some("a.pyc"), 1)
    );
    assert_eq!(kept.warnings, []);
}
