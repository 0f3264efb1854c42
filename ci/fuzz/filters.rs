//! The guard's module of filters, as source, because its crate shows none of it; and what the kernel wants of a program.
#![allow(dead_code)]

#[path = "../../rocker-guard/src/seccomp"]
pub mod seccomp {
    pub mod answer;
    pub mod calls;
    pub mod policy;
    pub mod program;
    pub mod table;
}

/// The interpreter of the unit tests.
#[path = "../../rocker-guard/src/seccomp/tests/machine.rs"]
pub mod machine;

use machine::{Call, run};
use rocker_sys::raw::general::{__NR_exit, __NR_exit_group};
use seccomp::table::TABLE;

pub const ALLOW: u32 = 0x7fff_0000;
pub const KILL: u32 = 0x8000_0000;
pub const LOG: u32 = 0x7ffc_0000;
pub const ERRNO: u32 = 0x0005_0000;
pub const ENOSYS: u32 = ERRNO | 38;

/// What is let through whatever a policy says.
pub const ENDS: [u32; 2] = [__NR_exit, __NR_exit_group];

/// What `seccomp_check_filter()` and `bpf_check_classic()` of the kernel ask, and a little more: nothing is left in a jump
/// of what the assembler writes into it for the time being, and every answer is one that we give.
pub fn check(program: &[u8]) {
    let (instructions, []) = program.as_chunks::<8>() else {
        panic!("not whole instructions");
    };
    let count = instructions.len();
    assert!(0 < count && count <= 512, "{count} instructions");
    for (at, [c0, c1, holds, fails, operand @ ..]) in instructions.iter().enumerate() {
        let operand = u32::from_ne_bytes(*operand);
        let is_inside = |jump: usize| at + 1 + jump < count;
        let is_straight = *holds == 0 && *fails == 0;
        let is_good = match u16::from_ne_bytes([*c0, *c1]) {
            0x20 => is_straight && operand % 4 == 0 && operand < 64,
            0x06 => {
                let is_errno = (ERRNO..=ERRNO | 4095).contains(&operand);
                is_straight && (is_errno || [ALLOW, KILL, LOG].contains(&operand))
            }
            0x05 => is_straight && is_inside(operand as usize),
            0x15 | 0x25 | 0x35 | 0x45 => [*holds, *fails]
                .iter()
                .all(|jump| *jump != u8::MAX && is_inside((*jump).into())),
            _ => false,
        };
        assert!(is_good, "instruction {at} of {count}");
    }
    let [code, ..] = instructions[count - 1];
    assert_eq!(code, 0x06, "runs off its end");
}

/// What a program says to a call.
pub fn say(program: &[u8], number: u32, arguments: [u64; 6]) -> u32 {
    let architecture = TABLE.architecture;
    let call = Call {
        number,
        architecture,
        arguments,
    };
    run(program, &call).0
}
