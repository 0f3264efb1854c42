//! What the attack suite rests on: README.md says the truth about it, and the product has not got the switch of its
//! controls.

use rocker_testing::{binary, weakened_master};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const README: &str = include_str!("../../README.md");
const LIST: &str = include_str!("attacks/main.rs");

/// The lines of the table: its row's number, and what stands between backquotes in the column of the tests.
fn rows() -> Vec<(String, Vec<String>)> {
    let table = README.split("\n## Attacks\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = cells.map(|line| line.split(" | ").collect::<Vec<_>>());
    let quoted = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    rows.filter(|cells| is_number(cells[0]))
        .map(|cells| (cells[0].to_lowercase(), quoted(cells[3])))
        .collect()
}

fn is_number(word: &str) -> bool {
    let (kind, digits) = word.split_at_checked(1).unwrap_or_default();
    matches!(kind, "S" | "D" | "s" | "d") && digits.len() == 2 && digits.parse::<u8>().is_ok()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .collect()
}

/// The tests of the suite: the words of its list that begin like a row.
fn attacks() -> BTreeSet<&'static str> {
    let is_attack =
        |word: &&str| word.get(..3).is_some_and(is_number) && word.get(3..4) == Some("_");
    words(LIST).into_iter().filter(is_attack).collect()
}

/// `file::test` is of this crate, `capi::file::test` of the client, `cli::file::test` of the command.
fn file_of(path: &str) -> Option<(PathBuf, &str)> {
    let (file, test) = path.rsplit_once("::")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let dir_and_file = match file.split_once("::") {
        Some(("capi", file)) => ("rocker-client/tests/capi", file),
        Some(("cli", file)) => ("rocker-cli/tests", file),
        _ => ("rocker-master/tests", file),
    };
    let (dir, file) = dir_and_file;
    let path = root.join(dir).join(file);
    let alone = path.with_extension("rs");
    let is_alone = alone.exists();
    Some((
        if is_alone {
            alone
        } else {
            path.join("main.rs")
        },
        test,
    ))
}

#[test]
fn every_attack_stands_in_the_row_of_its_number() {
    let rows = rows();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for attack in attacks() {
        let is_its_row = |(number, tests): &(String, Vec<String>)| {
            *number == attack[..3] && tests.iter().any(|test| test == attack)
        };
        assert!(
            rows.iter().any(is_its_row),
            "README.md does not name {attack}"
        );
    }
}

#[test]
fn every_row_names_tests_that_are_there() {
    let attacks = attacks();
    for (number, tests) in rows() {
        assert!(!tests.is_empty(), "{number} names no test");
        for test in tests {
            let is_there = match file_of(&test) {
                None => attacks.contains(test.as_str()),
                Some((file, test)) => {
                    let text = fs::read_to_string(&file);
                    words(&text.unwrap_or_else(|_| panic!("{}", file.display()))).contains(test)
                }
            };
            assert!(is_there, "{number} names {test}");
        }
    }
}

fn status_without(program: &Path, defence: &str) -> Option<i32> {
    let asked = Command::new(program)
        .args(["--without", defence, "--version"])
        .output();
    asked.unwrap().status.code()
}

/// With its control: the program of the suite has what is looked for.
#[test]
fn the_product_does_without_nothing() {
    let holds = |program: &Path, name: &str| {
        let bytes = fs::read(program).unwrap();
        bytes
            .windows(name.len())
            .any(|window| window == name.as_bytes())
    };
    let (product, weakened) = (binary("rocker-master"), weakened_master());
    for name in ["layer-store", "not-dumpable"] {
        assert!(
            !holds(&product, name) && !holds(&binary("rocker"), name),
            "{name}"
        );
        assert!(holds(&weakened, name), "{name}");
    }
    assert_eq!(status_without(&product, "nodev"), Some(2));
    assert_eq!(status_without(&weakened, "nodev"), Some(0));
    assert_eq!(status_without(&weakened, "nothing-known"), Some(2));
}
