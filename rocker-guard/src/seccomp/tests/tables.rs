//! The tables in `table/`: this makes them. `ROCKER_WRITE_TABLES=1 cargo test -p rocker-guard tables` writes them down.

use super::numbers::{Numbers, numbers, words};
use crate::seccomp::rule::Rule;
use crate::seccomp::table::CALLS_MAX;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The architecture, `AUDIT_ARCH_*`, and where its private calls are.
const ARCHITECTURES: [(&str, &str, (u32, u32)); 4] = [
    ("aarch64", "AUDIT_ARCH_AARCH64", (0, 0)),
    ("arm", "AUDIT_ARCH_ARM", (0xf_0001, 0xf_0007)),
    ("riscv64", "AUDIT_ARCH_RISCV64", (0, 0)),
    ("x86_64", "AUDIT_ARCH_X86_64", (0, 0)),
];

/// A word of `calls.txt` as the rules of `default` and `strict`.
fn rules(word: &str) -> (Rule, Rule) {
    let check = |number| (Rule::check(number), Rule::check(number));
    match word {
        "allow" => (Rule::ALLOW, Rule::ALLOW),
        "deny" => (Rule::DENY, Rule::DENY),
        "service" => (Rule::ALLOW, Rule::DENY),
        "absent" => (Rule::ABSENT, Rule::ABSENT),
        "flags" => check(0),
        "ioctl" => check(1),
        "personality" => check(2),
        "socket" => (Rule::check(3), Rule::check(4)),
        other => panic!("{other}"),
    }
}

/// The names by their numbers; what is missing has none.
fn by_number(numbers: &Numbers) -> Vec<&str> {
    let last = *numbers.values().max().unwrap() as usize;
    assert!(last < CALLS_MAX);
    let mut names = vec![""; last + 1];
    for (name, number) in numbers {
        names[*number as usize] = name;
    }
    names
}

fn runs(names: &[&str]) -> Vec<(u8, u8)> {
    let words = words();
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for name in names {
        let word = if name.is_empty() {
            "absent"
        } else {
            words[name]
        };
        let (default, strict) = rules(word);
        let both = default.0 | strict.0 << 4;
        match runs.last_mut() {
            Some((count, last)) if *last == both && *count < u8::MAX => *count += 1,
            _ => runs.push((1, both)),
        }
    }
    runs
}

/// Names with the most frequent pair of bytes replaced by a new byte, again and again.
fn compress(names: &[&str]) -> (Vec<[u8; 2]>, Vec<u8>) {
    let mut bytes = names.join("\n").into_bytes();
    bytes.push(b'\n');
    let mut pairs = Vec::new();
    while pairs.len() < 128 {
        let mut counts = BTreeMap::new();
        for pair in bytes.windows(2) {
            *counts.entry([pair[0], pair[1]]).or_insert(0u32) += 1;
        }
        let (pair, count) = counts.into_iter().max_by_key(|(_, count)| *count).unwrap();
        // A pair takes two bytes and saves one each time.
        if count <= 3 {
            break;
        }
        bytes = replace(&bytes, pair, 128 + pairs.len() as u8);
        pairs.push(pair);
    }
    (pairs, bytes)
}

fn replace(bytes: &[u8], pair: [u8; 2], by: u8) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if rest.starts_with(&pair) {
            replaced.push(by);
            rest = &rest[2..];
        } else {
            replaced.push(*first);
            rest = tail;
        }
    }
    replaced
}

fn file((architecture, audit, (from, to)): (&str, &str, (u32, u32))) -> String {
    let numbers = numbers(architecture);
    let names = by_number(numbers);
    let (pairs, bytes) = compress(&names);
    let mut text = format!(
        "//! The calls of {architecture}. Made by `tests/tables.rs`.\n\nuse super::Table;\n\
         use rocker_sys::raw::ptrace::{audit};\n\npub(crate) const TABLE: Table = Table {{\n    \
         architecture: {audit},\n    private: ({from:#x}, {to:#x}),\n"
    );
    let mut list = |field: &str, items: Vec<String>| {
        writeln!(text, "    #[rustfmt::skip]\n    {field}: &[").unwrap();
        for line in items.chunks(12) {
            writeln!(text, "        {},", line.join(", ")).unwrap();
        }
        writeln!(text, "    ],").unwrap();
    };
    list(
        "runs",
        runs(&names).iter().map(|run| format!("{run:?}")).collect(),
    );
    list(
        "pairs",
        pairs.iter().map(|pair| format!("{pair:?}")).collect(),
    );
    list("names", bytes.iter().map(u8::to_string).collect());
    text + "};\n"
}

#[test]
fn tables_are_those_of_calls_txt_and_the_kernel() {
    let write = std::env::var_os("ROCKER_WRITE_TABLES").is_some();
    for architecture in ARCHITECTURES {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/seccomp/table");
        let path = format!("{dir}/{}.rs", architecture.0);
        let text = file(architecture);
        if write {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap() == text,
            "{path} is another one"
        );
    }
}
