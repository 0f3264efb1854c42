//! A policy of system calls, as somebody may have written it. What comes of it is a program that the kernel takes, which
//! lets processes end and nothing else that has no name; a mistake is told at a place that the file has. Comments change
//! nothing, and to report instead of refusing changes the answers alone.
#![no_main]

#[path = "../filters.rs"]
mod filters;

use filters::seccomp::policy;
use filters::seccomp::table::TABLE;
use filters::{ALLOW, ENDS, ENOSYS, KILL, LOG, check, machine, say};
use libfuzzer_sys::fuzz_target;
use rocker_sys::Errno;

const MISTAKES: [Errno; 5] = [
    Errno::EINVAL,
    Errno::ENOSYS,
    Errno::EEXIST,
    Errno::EOPNOTSUPP,
    Errno::E2BIG,
];
const BEFORE: &[u8] = b"# said \\\n\t@default deny\n\n";
const BEHIND: &[u8] = b"\n@frequency ./x\n # said";

/// The program, or the mistake and its place.
fn assemble(text: &[u8], is_logged: bool) -> Result<Vec<u8>, (Errno, usize)> {
    policy::program(&TABLE, text, is_logged).map(|program| program.bytes().to_vec())
}

fn is_return(instruction: &[u8; 8]) -> bool {
    u16::from_ne_bytes([instruction[0], instruction[1]]) == 0x06
}

/// The same program, but for what it says where the other one refuses.
fn check_logged(acting: &[u8], logging: &[u8]) {
    assert_eq!(acting.len(), logging.len());
    let instructions = acting.as_chunks::<8>().0.iter();
    for (acting, logging) in instructions.zip(logging.as_chunks::<8>().0) {
        let answer = |of: &[u8; 8]| u32::from_ne_bytes([of[4], of[5], of[6], of[7]]);
        if is_return(acting) && ![ALLOW, ENOSYS].contains(&answer(acting)) {
            assert!(is_return(logging) && answer(logging) == LOG);
        } else {
            assert_eq!(acting, logging);
        }
    }
}

fuzz_target!(|text: &[u8]| {
    let acting = assemble(text, false);
    let logging = assemble(text, true);
    let program = match acting {
        Ok(program) => program,
        Err((errno, at)) => {
            assert!(MISTAKES.contains(&errno) && at <= text.len());
            assert_eq!(logging, Err((errno, at)));
            let later = assemble(&[BEFORE, text].concat(), false);
            assert_eq!(later, Err((errno, at + BEFORE.len())));
            return;
        }
    };
    check(&program);
    check_logged(&program, &logging.expect("cannot be reported"));
    if text.last() != Some(&b'\\') {
        let same = assemble(&[BEFORE, text, BEHIND].concat(), false);
        assert_eq!(
            same.as_deref(),
            Ok(&program[..]),
            "a comment says something"
        );
    }
    for arguments in [[0; 6], [u64::MAX; 6]] {
        for end in ENDS {
            assert_eq!(say(&program, end, arguments), ALLOW, "it cannot end");
        }
        for unnamed in [512, 1024, 0x4000_0000, u32::MAX] {
            assert_eq!(say(&program, unnamed, arguments), KILL);
        }
        let foreign = machine::Call {
            number: ENDS[0],
            architecture: TABLE.architecture ^ 1,
            arguments,
        };
        assert_eq!(machine::run(&program, &foreign).0, KILL);
    }
});
