//! Policy files: what they say on the architecture that the tests run on, and what is wrong with them.

use super::machine::{Call, run};
use super::numbers::{Numbers, numbers};
use crate::seccomp::policy;
use crate::seccomp::table::TABLE;
use rocker_sys::Errno;
use std::collections::BTreeMap;

const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
const LOG: u32 = 0x7ffc_0000;

const fn errno(number: u32) -> u32 {
    0x0005_0000 | number
}

fn native() -> &'static Numbers {
    numbers(std::env::consts::ARCH)
}

/// What is left of a number in a register.
const fn register(value: u64) -> u64 {
    value as usize as u64
}

/// What a policy says to a call with these arguments.
fn say(policy: &str, name: &str, arguments: &[u64]) -> u32 {
    let program = policy::program(&TABLE, policy.as_bytes(), false);
    let program = program.unwrap_or_else(|mistake| panic!("{policy}: {mistake:?}"));
    let mut call = Call {
        number: native()[name],
        architecture: TABLE.architecture,
        ..Call::default()
    };
    call.arguments[..arguments.len()].copy_from_slice(arguments);
    run(program.bytes(), &call).0
}

#[test]
fn what_is_named_is_let_through_and_the_rest_kills() {
    let openat = native()["openat"];
    let policy = format!(
        "# A comment\n\nread: 1\n  write :1 # another\n{openat}: 1\nclose: return EBADF\nfsync: return 5\n@default allow\n@frequency ./x\n"
    );
    for (name, answer) in [
        ("read", ALLOW),
        ("write", ALLOW),
        ("openat", ALLOW),
        ("close", errno(9)),
        ("fsync", errno(5)),
        ("exit", ALLOW),
        ("exit_group", ALLOW),
        ("mount", KILL),
        ("execve", KILL),
    ] {
        assert_eq!(say(&policy, name, &[]), answer, "{name}");
    }
    assert_eq!(say("", "read", &[]), KILL);
    assert_eq!(say("read: 1", "read", &[]), ALLOW);
    assert_eq!(say("exit_group: return EPERM", "exit_group", &[]), ALLOW);
}

#[test]
fn every_call_has_its_name() {
    let always = ["exit", "exit_group"].map(|name| native()[name]);
    // Of two names for one number, which arm has, the table knows the last.
    let names: BTreeMap<_, _> = native()
        .iter()
        .map(|(name, number)| (number, name))
        .collect();
    for (number, name) in names {
        let policy = format!("{name}: return EDQUOT\n");
        let program = policy::program(&TABLE, policy.as_bytes(), false).unwrap();
        let ends = name == "exit" || name == "exit_group";
        for other in 0..=600 {
            let call = Call {
                number: other,
                architecture: TABLE.architecture,
                ..Call::default()
            };
            let answer = match other {
                _ if always.contains(&other) => ALLOW,
                _ if other == *number => errno(122),
                _ => KILL,
            };
            assert!(
                ends || run(program.bytes(), &call).0 == answer,
                "{name} {other}"
            );
        }
    }
}

#[test]
fn arguments_are_compared_with_all_their_bits() {
    const BIG: u64 = 0x1_0000_0005;
    let values = [
        0,
        1,
        4,
        5,
        6,
        0xffff_ffff,
        0x1_0000_0000,
        BIG - 1,
        BIG,
        BIG + 1,
        0x2_0000_0000,
        u64::MAX,
    ];
    for value in values {
        for argument in values.map(register) {
            let expected = register(value);
            let holds = [
                ("==", argument == expected),
                ("!=", argument != expected),
                ("<", argument < expected),
                ("<=", argument <= expected),
                (">", argument > expected),
                (">=", argument >= expected),
                ("&", argument & expected != 0),
                ("in", argument & !expected == 0),
            ];
            for (operator, holds) in holds {
                let policy = format!("read: arg2 {operator} {value:#x}; return EIO");
                let answer = if holds { ALLOW } else { errno(5) };
                assert_eq!(
                    say(&policy, "read", &[7, 7, argument]),
                    answer,
                    "{policy} {argument:#x}"
                );
            }
        }
    }
}

#[test]
fn and_binds_closer_than_or() {
    let policy = "socket: arg0 == AF_UNIX && arg1 == 1 || arg0 == AF_INET && arg1 == 2 && arg2 == 0 || arg0 == 16";
    for (arguments, answer) in [
        ([1, 1, 9], ALLOW),
        ([1, 2, 0], KILL),
        ([2, 2, 0], ALLOW),
        ([2, 2, 1], KILL),
        ([2, 1, 0], KILL),
        ([16, 9, 9], ALLOW),
        ([3, 1, 0], KILL),
    ] {
        assert_eq!(say(policy, "socket", &arguments), answer, "{arguments:?}");
    }
}

#[test]
fn constants_are_numbers_names_masks_and_complements() {
    for (value, fits, other) in [
        ("10", 10, 8),
        ("010", 8, 10),
        ("0xA", 10, 0),
        ("-1", u64::MAX, register(u64::MAX) >> 1),
        ("PROT_READ|PROT_WRITE", 3, 1),
        ("PROT_READ | (PROT_WRITE|PROT_EXEC)", 7, 6),
        ("~PROT_READ", !1, 0),
        ("~(PROT_READ|PROT_EXEC)", !5, 5),
        ("~~4", 4, !4),
        ("O_CLOEXEC", 0x8_0000, 0),
    ] {
        let policy = format!("read: arg2 == {value} ; return EPERM");
        assert_eq!(
            say(&policy, "read", &[0, 0, register(fits)]),
            ALLOW,
            "{value}"
        );
        assert_eq!(
            say(&policy, "read", &[0, 0, register(other)]),
            errno(1),
            "{value}"
        );
    }
}

#[test]
fn long_lines_go_on_behind_a_backslash() {
    let policy = "read: arg0 == 1 || \\\n  arg0 == 2\nwrite: \\\n1\n";
    assert_eq!(say(policy, "read", &[2]), ALLOW);
    assert_eq!(say(policy, "read", &[3]), KILL);
    assert_eq!(say(policy, "write", &[]), ALLOW);
}

#[test]
fn a_policy_that_only_reports_lets_everything_through() {
    let policy = b"read: arg0 == 1\nwrite: return EIO\n";
    let program = policy::program(&TABLE, policy, true).unwrap();
    for (name, argument, answer) in [
        ("read", 1, ALLOW),
        ("read", 2, LOG),
        ("write", 0, LOG),
        ("close", 0, LOG),
    ] {
        let arguments = [argument, 0, 0, 0, 0, 0];
        let call = Call {
            number: native()[name],
            architecture: TABLE.architecture,
            arguments,
        };
        assert_eq!(run(program.bytes(), &call).0, answer);
    }
}

/// A policy is tried out with reports: what would be refused later must be refused then.
#[test]
fn a_policy_that_only_reports_has_the_same_mistakes() {
    for policy in ["read: return EIO\nread: 1", "read: 1\nread: 1", "read: 2"] {
        let [acting, logging] = [false, true]
            .map(|is_logged| policy::program(&TABLE, policy.as_bytes(), is_logged).err());
        assert!(acting.is_some() && acting == logging, "{policy}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (policy, errno, at) in [
        ("raed: 1", Errno::ENOSYS, 0),
        ("read: 1\n  nosuch: 1", Errno::ENOSYS, 10),
        ("512: 1", Errno::ENOSYS, 0),
        ("read 1", Errno::EINVAL, 5),
        ("read:", Errno::EINVAL, 5),
        ("read: 2", Errno::EINVAL, 6),
        ("read: 1 1", Errno::EINVAL, 8),
        ("read: 1\nread: 1", Errno::EEXIST, 8),
        ("read: return", Errno::EINVAL, 12),
        ("read: return EWHAT", Errno::EINVAL, 13),
        ("read: return 4096", Errno::EINVAL, 13),
        ("read: arg6 == 1", Errno::EINVAL, 10),
        ("read: arg0 = 1", Errno::EINVAL, 11),
        ("read: arg0 == ", Errno::EINVAL, 14),
        ("read: arg0 == NOT_KNOWN", Errno::EINVAL, 14),
        ("read: arg0 == 0x1_0", Errno::EINVAL, 14),
        ("read: arg0 == 0x10000000000000000", Errno::EINVAL, 14),
        ("read: arg0 == (1", Errno::EINVAL, 16),
        ("read: arg0 && 1", Errno::EINVAL, 12),
        ("read: arg0 == 1 &&", Errno::EINVAL, 18),
        ("read: arg0 == 1; allow", Errno::EINVAL, 17),
        ("@include /etc/other.policy", Errno::EOPNOTSUPP, 0),
        ("read: 1\n@what", Errno::EINVAL, 8),
        ("?", Errno::EINVAL, 0),
    ] {
        let mistake = policy::program(&TABLE, policy.as_bytes(), false).err();
        assert_eq!(mistake, Some((errno, at)), "{policy}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let clause = "arg0 == 1 && arg1 == 2 && arg2 == 3 && arg3 == 4 && arg4 == 5 && arg5 == 6";
    let long = format!("read: {}", [clause; 12].join(" && "));
    let wide = format!("read: {}", [clause; 30].join(" || "));
    for policy in [long, wide] {
        let mistake = policy::program(&TABLE, policy.as_bytes(), false).err();
        assert_eq!(mistake.map(|(errno, _)| errno), Some(Errno::E2BIG));
    }
}

/// Nothing that a file may hold does more than be refused.
#[test]
fn no_text_does_harm() {
    let good =
        b"read: arg0 == 1 && arg1 in ~(PROT_READ|2); return EIO\nwrite: 1\n@default x\n".to_vec();
    for at in 0..good.len() {
        for byte in *b"\0 \n\\#@:;1x0~(|&=<>!-ar_\xff" {
            let mut text = good.clone();
            text[at] = byte;
            let _ = policy::program(&TABLE, &text, false).map(|program| program.bytes().len());
            let _ =
                policy::program(&TABLE, &text[..at], false).map(|program| program.bytes().len());
        }
    }
}
