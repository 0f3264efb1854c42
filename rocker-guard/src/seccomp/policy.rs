//! A policy file, in the syntax of minijail (`minijail0(5)`).
//!
//! ```text
//! # Which calls are let through; any other kills.
//! read: 1
//! openat: return EACCES
//! socket: arg0 == AF_UNIX || arg0 == AF_INET && arg1 & 1; return EAFNOSUPPORT
//! mmap: arg2 in ~PROT_EXEC || arg2 in ~PROT_WRITE
//! ```
//!
//! `@default` and `@frequency` are passed over, as minijail's own reader does; `@include` is refused. exit and exit_group
//! are always let through: a process that cannot end is of use to nobody, and minijail's kill would end it too.

mod constants;
mod names;
mod scanner;

use super::answer::Answer;
use super::calls::{Calls, Leaf};
use super::program::{AT_LEAST, ELSEWHERE, EQUAL, GREATER, HAS_BITS, Program, high, low};
use super::table::Table;
use rocker_sys::raw::general::{__NR_exit, __NR_exit_group};
use rocker_sys::{Errno, Result, position};
use scanner::{Scanner, number};

/// The program of a policy; or what is wrong with it, and at which byte.
pub(crate) fn program(
    table: &Table,
    text: &[u8],
    is_logged: bool,
) -> core::result::Result<Program, (Errno, usize)> {
    let mut scanner = Scanner::new(text);
    read(table, &mut scanner, is_logged).map_err(|errno| (errno, scanner.at))
}

#[inline(never)] // smaller by itself
fn read(table: &Table, scanner: &mut Scanner<'_>, is_logged: bool) -> Result<Program> {
    let mut policy = Policy {
        table,
        scanner,
        checks: Program::new()?,
        calls: Calls::all(OTHER),
    };
    while !policy.scanner.is_at_end() {
        policy.line()?;
    }
    for number in &[__NR_exit, __NR_exit_group] {
        policy.set(*number as usize, Leaf::answer(Answer::ALLOW));
    }
    let mut program = policy.calls.assemble(table, OTHER, &policy.checks)?;
    // Not before: whether a call has been named is seen by what is said to it.
    if is_logged {
        program.report();
    }
    Ok(program)
}

/// What is said to a call that is not named.
const OTHER: Answer = Answer::KILL;

struct Policy<'a, 't> {
    table: &'a Table,
    scanner: &'a mut Scanner<'t>,
    /// What calls lead to whose arguments are looked at.
    checks: Program,
    calls: Calls,
}

impl Policy<'_, '_> {
    fn set(&mut self, number: usize, leaf: Leaf) {
        if let Some(slot) = self.calls.known.get_mut(number) {
            *slot = leaf;
        }
    }

    fn line(&mut self) -> Result<()> {
        self.scanner.blanks();
        let start = self.scanner.at;
        if self.scanner.eat("@") {
            let word = self.scanner.word();
            match position("default frequency include", word) {
                Some(0 | 1) => self.scanner.line(),
                Some(_) => return self.scanner.refuse(start, Errno::EOPNOTSUPP),
                None => return self.scanner.refuse(start, Errno::EINVAL),
            }
        } else if let name @ [_, ..] = self.scanner.word() {
            let number = self.number_of(name, start)?;
            self.scanner.want(":")?;
            let leaf = self.leaf()?;
            self.set(number, leaf);
        }
        if self.scanner.eat("#") {
            self.scanner.line();
        }
        if self.scanner.eat("\n") || self.scanner.is_at_end() {
            return Ok(());
        }
        Err(Errno::EINVAL)
    }

    /// Of a call that has not been named yet.
    fn number_of(&mut self, name: &[u8], at: usize) -> Result<usize> {
        let number = match number(name) {
            Some(number) => number as usize,
            None => names::number_of(self.table, name).unwrap_or(usize::MAX),
        };
        match self.calls.known.get(number) {
            None => self.scanner.refuse(at, Errno::ENOSYS),
            Some(leaf) if *leaf == Leaf::answer(OTHER) => Ok(number),
            Some(_) => self.scanner.refuse(at, Errno::EEXIST),
        }
    }

    /// What stands behind the colon.
    fn leaf(&mut self) -> Result<Leaf> {
        if self.scanner.eat("return") {
            return self.error().map(Leaf::answer);
        }
        if self.scanner.eat("1") {
            return Ok(Leaf::answer(Answer::ALLOW));
        }
        let place = self.checks.len();
        loop {
            let clause = self.checks.len();
            self.atom()?;
            while self.scanner.eat("&&") {
                self.atom()?;
            }
            self.checks.answer(Answer::ALLOW)?;
            self.checks.land_all(clause)?;
            if !self.scanner.eat("||") {
                break;
            }
        }
        let mut other = OTHER;
        if self.scanner.eat(";") {
            self.scanner.want("return")?;
            other = self.error()?;
        }
        self.checks.answer(other)?;
        Ok(Leaf::check(place))
    }

    /// An error number, by its name or as it is.
    fn error(&mut self) -> Result<Answer> {
        self.scanner.blanks();
        let at = self.scanner.at;
        let word = self.scanner.word();
        let named = || Errno::from_name(word).map(|errno| errno.raw() as u64);
        match number(word).or_else(named) {
            // The largest that a call can return.
            Some(errno @ 0..=4095) => Ok(Answer::errno(errno as u16)),
            _ => self.scanner.refuse(at, Errno::EINVAL),
        }
    }

    /// `arg0 == 1`: goes on behind it if that holds, and elsewhere if not.
    fn atom(&mut self) -> Result<()> {
        self.scanner.want("arg")?;
        let argument = match self.scanner.word() {
            [digit @ b'0'..=b'5'] => u32::from(digit.wrapping_sub(b'0')),
            _ => return Err(Errno::EINVAL),
        };
        let mut operators = OPERATORS.iter();
        let test = operators
            .find(|test| self.scanner.eat(test.operator))
            .ok_or(Errno::EINVAL)?;
        let mut value = self.scanner.value()?;
        // Where registers have 32 bits, so have constants.
        if cfg!(target_pointer_width = "32") {
            value &= 0xffff_ffff;
        }
        if test.inverts {
            value = !value;
        }
        let upper = (value >> 32) as u32;
        let mut half = high(argument);
        for (at, (how, holds, fails)) in (0..).zip(test.steps) {
            let operand = if at < 2 { upper } else { value as u32 };
            if at != 1 {
                self.checks.load(half)?;
                half = low(argument);
            }
            self.checks.compare(how.into(), operand, holds, fails)?;
        }
        Ok(())
    }
}

/// How an operator compares an argument: twice its upper half, then the lower one. The instructions are: load, compare,
/// compare, load, compare; and the end of the test is behind them.
struct Test {
    operator: &'static str,
    /// Is the constant complemented?
    inverts: bool,
    /// How it is compared, and where that leads if it holds and if not.
    steps: [(u8, u8, u8); 3],
}

const EQ: u8 = EQUAL as u8;
const GT: u8 = GREATER as u8;
const GE: u8 = AT_LEAST as u8;
const SET: u8 = HAS_BITS as u8;
/// To the next clause, or to the end of all.
const NO: u8 = ELSEWHERE;

/// The longer ones before those that they begin with. Of `&&` the second half is no value.
const OPERATORS: [Test; 8] = [
    test("==", [(EQ, 0, NO), (EQ, 0, NO), (EQ, 0, NO)]),
    test("!=", [(EQ, 0, 3), (EQ, 0, 2), (EQ, NO, 0)]),
    test("<=", [(GT, NO, 0), (EQ, 0, 2), (GT, NO, 0)]),
    test("<", [(GT, NO, 0), (EQ, 0, 2), (GE, NO, 0)]),
    test(">=", [(GT, 3, 0), (EQ, 0, NO), (GE, 0, NO)]),
    test(">", [(GT, 3, 0), (EQ, 0, NO), (GT, 0, NO)]),
    test("&", [(SET, 3, 0), (SET, 2, 0), (SET, 0, NO)]),
    Test {
        inverts: true,
        ..test("in", [(SET, NO, 0), (SET, NO, 0), (SET, NO, 0)])
    },
];

const fn test(operator: &'static str, steps: [(u8, u8, u8); 3]) -> Test {
    Test {
        operator,
        inverts: false,
        steps,
    }
}
