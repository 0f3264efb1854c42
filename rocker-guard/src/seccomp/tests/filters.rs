//! `default` and `strict`, call by call.

use super::machine::{Call, run};
use super::numbers::{numbers, words};
use crate::seccomp::builtin;
use crate::seccomp::table::{Table, aarch64, arm, riscv64, x86_64};
use std::collections::BTreeMap;

const TABLES: [(&str, Table); 4] = [
    ("aarch64", aarch64::TABLE),
    ("arm", arm::TABLE),
    ("riscv64", riscv64::TABLE),
    ("x86_64", x86_64::TABLE),
];

const ALLOW: u32 = 0x7fff_0000;
const LOG: u32 = 0x7ffc_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const EAFNOSUPPORT: u32 = 0x0005_0061;

/// Bits that the kernel does not read.
const HIGH: u64 = 0xffff_ffff_0000_0000;

fn program(table: &Table, is_strict: bool, is_logged: bool) -> Vec<u8> {
    builtin::program(table, is_strict, is_logged)
        .unwrap()
        .bytes()
        .to_vec()
}

/// What a filter says to a call by name, with arguments that matter to nobody.
fn expected(word: &str, is_strict: bool) -> u32 {
    match word {
        "deny" => EPERM,
        "service" if is_strict => EPERM,
        "absent" | "" => ENOSYS,
        // Flags 0, request 0 and personality 0 are harmless; AF_UNSPEC is no family.
        "socket" => EAFNOSUPPORT,
        _ => ALLOW,
    }
}

#[test]
fn every_call_gets_the_answer_of_its_name() {
    let words = words();
    for (name, table) in TABLES {
        let names: BTreeMap<u32, &str> = numbers(name)
            .iter()
            .map(|(name, number)| (*number, name.as_str()))
            .collect();
        for is_strict in [false, true] {
            let program = program(&table, is_strict, false);
            for number in 0..=600 {
                let word = names.get(&number).map_or("", |name| words[name]);
                let call = Call {
                    number,
                    architecture: table.architecture,
                    ..Call::default()
                };
                let said = run(&program, &call).0;
                assert_eq!(
                    said,
                    expected(word, is_strict),
                    "{name} {number} {word} {is_strict}"
                );
            }
        }
    }
}

/// Other numbers, among them those of x32, and -1, which a tracer leaves.
#[test]
fn numbers_that_are_no_calls_do_not_exist() {
    for (name, table) in TABLES {
        let program = program(&table, false, false);
        let far = [
            600,
            1024,
            0xe_ffff,
            0xf_0000,
            0xf_0007,
            0x4000_0000,
            0x4000_0001,
            u32::MAX,
        ];
        for number in far.into_iter().chain(0x4000_0200..0x4000_0230) {
            let call = Call {
                number,
                architecture: table.architecture,
                ..Call::default()
            };
            assert_eq!(run(&program, &call).0, ENOSYS, "{name} {number:#x}");
        }
        for number in 0xf_0001..=0xf_0006 {
            let call = Call {
                number,
                architecture: table.architecture,
                ..Call::default()
            };
            let private = if name == "arm" { ALLOW } else { ENOSYS };
            assert_eq!(run(&program, &call).0, private, "{name} {number:#x}");
        }
    }
}

#[test]
fn calls_of_another_architecture_do_not_exist() {
    let others = [
        0,
        3,
        40,
        0x4000_0003,
        0x4000_0028,
        0x8000_0016,
        0xc000_003e,
        0xc000_00b7,
        0xc000_00f3,
    ];
    for (name, table) in TABLES {
        let program = program(&table, false, false);
        for architecture in others
            .into_iter()
            .filter(|other| *other != table.architecture)
        {
            for number in 0..=600 {
                let call = Call {
                    number,
                    architecture,
                    ..Call::default()
                };
                assert_eq!(
                    run(&program, &call).0,
                    ENOSYS,
                    "{name} {architecture:#x} {number}"
                );
            }
        }
    }
}

/// What a call by name gets for these arguments.
fn ask(name: &str, is_strict: bool, arguments: &[u64]) -> Vec<u32> {
    let answers = TABLES.iter().map(|(architecture, table)| {
        let number = numbers(architecture)[name];
        let mut call = Call {
            number,
            architecture: table.architecture,
            ..Call::default()
        };
        call.arguments[..arguments.len()].copy_from_slice(arguments);
        run(&program(table, is_strict, false), &call).0
    });
    answers.collect()
}

#[test]
fn namespaces_cannot_be_made() {
    for flag in [
        0x0002_0000,
        0x0200_0000,
        0x0400_0000,
        0x0800_0000,
        0x1000_0000,
        0x2000_0000,
        0x4000_0000,
    ] {
        for flags in [flag, flag | 17, flag | 0x003d_0f00, flag | HIGH] {
            assert_eq!(ask("clone", false, &[flags]), [EPERM; 4], "{flags:#x}");
            assert_eq!(ask("unshare", true, &[flags]), [EPERM; 4], "{flags:#x}");
        }
    }
    assert_eq!(ask("unshare", false, &[0x80]), [EPERM; 4]);
    // A process, a thread of glibc's, vfork, and a thread's own descriptors.
    for flags in [17, 0x003d_0f00, 0x4111, HIGH | 17] {
        assert_eq!(ask("clone", true, &[flags]), [ALLOW; 4], "{flags:#x}");
    }
    assert_eq!(ask("unshare", false, &[0x600]), [ALLOW; 4]);
    assert_eq!(ask("clone3", false, &[0]), [ENOSYS; 4]);
}

/// The kernel reads 32 bits of the request.
#[test]
fn terminals_cannot_be_typed_into_whatever_the_high_bits() {
    for request in [0x5412, 0x541c, 0x5423] {
        for high in [0, HIGH, 1 << 32, 1 << 63] {
            assert_eq!(
                ask("ioctl", false, &[0, high | request]),
                [EPERM; 4],
                "{request:#x}"
            );
        }
    }
    for request in [0x5401, 0x5411, 0x5413, 0x541b, 0x541d, 0x5421, 0x5412 << 32] {
        assert_eq!(
            ask("ioctl", true, &[0x5412, request]),
            [ALLOW; 4],
            "{request:#x}"
        );
    }
}

#[test]
fn only_harmless_personalities_can_be_taken() {
    for harmless in [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff, u64::MAX] {
        assert_eq!(
            ask("personality", false, &[harmless]),
            [ALLOW; 4],
            "{harmless:#x}"
        );
    }
    for other in [1, 6, 0x4_0000, 0x40_0000, 0x2_0009, 0xffff_fffe] {
        assert_eq!(
            ask("personality", false, &[other]),
            [EPERM; 4],
            "{other:#x}"
        );
    }
}

#[test]
fn sockets_are_of_families_that_programs_use() {
    for family in 0..=50 {
        let known = |more: &[u64]| [1, 2, 10, 16].iter().chain(more).any(|it| *it == family);
        let answer = |is_known| {
            if is_known {
                [ALLOW; 4]
            } else {
                [EAFNOSUPPORT; 4]
            }
        };
        for call in ["socket", "socketpair"] {
            assert_eq!(
                ask(call, false, &[family]),
                answer(known(&[17, 29, 31])),
                "{family}"
            );
            assert_eq!(ask(call, true, &[family]), answer(known(&[])), "{family}");
        }
    }
}

/// What does not exist still does not: libcs go on to something else, and that is reported.
#[test]
fn a_filter_that_only_reports_lets_everything_through() {
    for (name, table) in TABLES {
        for is_strict in [false, true] {
            let (acting, logging) = (
                program(&table, is_strict, false),
                program(&table, is_strict, true),
            );
            assert_eq!(acting.len(), logging.len());
            for number in 0..=600 {
                let arguments = [0x1000_0000, 0x5412, 0, 0, 0, 0];
                let call = Call {
                    number,
                    architecture: table.architecture,
                    arguments,
                };
                let said = match run(&acting, &call).0 {
                    said @ (ALLOW | ENOSYS) => said,
                    _ => LOG,
                };
                assert_eq!(run(&logging, &call).0, said, "{name} {number}");
            }
            let foreign = Call {
                number: 1,
                architecture: 3,
                ..Call::default()
            };
            assert_eq!(run(&logging, &foreign).0, LOG);
        }
    }
}

/// What a call costs where the kernel runs the program for each (before 5.11).
#[test]
fn programs_are_short_and_shallow() {
    for (name, table) in TABLES {
        for (is_strict, longest) in [(false, 330), (true, 370)] {
            let program = program(&table, is_strict, false);
            let calls = (0..=600).map(|number| Call {
                number,
                architecture: table.architecture,
                ..Call::default()
            });
            let steps = calls.map(|call| run(&program, &call).1).max().unwrap();
            println!(
                "{name} strict={is_strict}: {} instructions, at most {steps} for a call",
                program.len() / 8
            );
            assert!(
                program.len() / 8 <= longest && steps <= 24,
                "{name} {} {steps}",
                program.len() / 8
            );
        }
    }
}
