//! Whatever goes wrong, the message says where and why, and nothing is left.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::fs::symlink;

use rocker_pack::{Compression, Error, Observer, Options, build, build_observed};

use crate::fixture::Fixture;

fn options(fixture: &Fixture) -> Options {
    Options::new(fixture.tree(), fixture.package())
}

#[test]
fn a_source_that_is_missing_or_no_directory_is_refused() {
    let fixture = Fixture::small();
    for (source, reason) in [("missing", "os error 2"), ("tree/hello", "not a directory")] {
        let source = fixture.out().with_file_name(source);
        let error = build(&Options {
            source: source.clone(),
            ..options(&fixture)
        })
        .unwrap_err();
        let text = error.to_string();
        let named = text.contains(source.to_str().unwrap());
        assert!(named && text.to_lowercase().contains(reason), "{text}");
        assert_eq!(fixture.left_behind(), [""; 0]);
    }
}

#[test]
fn an_existing_output_is_kept_without_force_and_replaced_with_it() {
    let fixture = Fixture::small();
    fs::write(fixture.package(), "precious").unwrap();

    let refusal = build(&options(&fixture)).unwrap_err();

    assert!(refusal.to_string().contains("exists already"), "{refusal}");
    assert_eq!(fs::read(fixture.package()).unwrap(), b"precious");
    build(&Options {
        force: true,
        ..options(&fixture)
    })
    .unwrap();
    assert!(rocker_pack::inspect(&fixture.package()).is_ok());
    assert_eq!(fixture.left_behind(), ["app.sqfs"]);
}

#[test]
fn an_output_that_is_no_file_is_refused_even_with_force() {
    let fixture = Fixture::small();
    fs::create_dir(fixture.package()).unwrap();
    let error = build(&Options {
        force: true,
        ..options(&fixture)
    })
    .unwrap_err();
    assert!(error.to_string().contains("not a file"), "{error}");
}

#[test]
fn a_package_inside_its_own_tree_is_refused_behind_symlinks_too() {
    let fixture = Fixture::small();
    symlink(fixture.tree().join("sub"), fixture.out().join("way-in")).unwrap();
    for output in [
        fixture.tree().join("x"),
        fixture.tree().join("sub/x"),
        fixture.out().join("way-in/x"),
    ] {
        let error = build(&Options {
            output,
            ..options(&fixture)
        })
        .unwrap_err();
        assert!(error.to_string().contains("inside"), "{error}");
    }
}

#[test]
fn a_missing_output_directory_is_named() {
    let fixture = Fixture::small();
    let output = fixture.out().join("missing/app.sqfs");
    let error = build(&Options {
        output,
        ..options(&fixture)
    })
    .unwrap_err();
    assert!(error.to_string().contains("out/missing"), "{error}");
}

#[test]
fn senseless_options_are_refused() {
    let fixture = Fixture::small();
    let wrong = [
        Options {
            block_size: 2048,
            ..options(&fixture)
        },
        Options {
            block_size: 3 << 15,
            ..options(&fixture)
        },
        Options {
            block_size: 2 << 20,
            ..options(&fixture)
        },
        Options {
            level: Some(23),
            ..options(&fixture)
        },
        Options {
            level: Some(0),
            compression: Compression::Gzip,
            ..options(&fixture)
        },
        Options {
            level: Some(1),
            compression: Compression::Lzo,
            ..options(&fixture)
        },
        Options {
            exclude: vec!["[".into()],
            ..options(&fixture)
        },
    ];
    for options in wrong {
        let error = build(&options).unwrap_err();
        assert!(matches!(error, Error::Options(_)), "{error:?}");
        assert_eq!(fixture.left_behind(), [""; 0]);
    }
}

/// Does something to the tree between the scan and the reading.
struct Meddler<F: Fn()>(F);

impl<F: Fn()> Observer for Meddler<F> {
    fn start(&self, _total_bytes: u64) {
        (self.0)();
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_named() {
    let changes: [fn(&std::path::Path); 4] = [
        |file| {
            File::options()
                .append(true)
                .open(file)
                .unwrap()
                .set_len(7)
                .unwrap()
        },
        |file| fs::write(file, "HELLO\n").unwrap(),
        |file| fs::remove_file(file).unwrap(),
        |file| {
            fs::remove_file(file).unwrap();
            symlink("/etc/passwd", file).unwrap();
        },
    ];
    for change in changes {
        let fixture = Fixture::small();
        let file = fixture.tree().join("hello");

        let error = build_observed(&options(&fixture), &Meddler(|| change(&file))).unwrap_err();

        assert!(error.to_string().contains("tree/hello"), "{error}");
        assert_eq!(fixture.left_behind(), [""; 0]);
    }
}

/// Asks to stop at the given question.
struct Impatient {
    questions_left: Cell<u32>,
}

impl Observer for Impatient {
    fn is_cancelled(&self) -> bool {
        let left = self.questions_left.get();
        self.questions_left.set(left.saturating_sub(1));
        left == 0
    }
}

#[test]
fn an_interrupted_build_leaves_nothing_and_keeps_what_was_there() {
    let fixture = Fixture::small();
    fs::write(fixture.package(), "precious").unwrap();
    let options = Options {
        force: true,
        ..options(&fixture)
    };
    let mut interrupted = 0;
    for questions in 0.. {
        let impatient = Impatient {
            questions_left: Cell::new(questions),
        };
        match build_observed(&options, &impatient) {
            Err(Error::Cancelled) => interrupted += 1,
            Err(other) => panic!("{other}"),
            Ok(_) => break,
        }
        assert_eq!(fixture.left_behind(), ["app.sqfs"]);
        assert_eq!(fs::read(fixture.package()).unwrap(), b"precious");
    }
    assert!(interrupted >= 4, "asked {interrupted} times only");
}
