//! A policy that says something known: whatever the rules are, the program says to each call what they say, and rules that
//! fit are not refused.
#![no_main]

#[path = "../filters.rs"]
mod filters;

use filters::seccomp::policy;
use filters::seccomp::table::TABLE;
use filters::{ALLOW, ENDS, ERRNO, KILL, check, say};
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rocker_sys::Errno;
use std::collections::BTreeMap;
use std::fmt::Write;

const OPERATORS: [&str; 8] = ["==", "!=", "<", "<=", ">", ">=", "&", "in"];

#[derive(Debug)]
struct Atom {
    argument: usize,
    operator: &'static str,
    value: u64,
    /// How the number is written.
    form: u8,
}

/// Each clause holds if all of its atoms do.
#[derive(Debug)]
enum Rule {
    Allow,
    Refuse(u16),
    Check(Vec<Vec<Atom>>, Option<u16>),
}

#[derive(Debug)]
struct Rules(BTreeMap<u32, Rule>);

/// Where comparisons of halves go wrong, if they do.
fn value(bytes: &mut Unstructured<'_>) -> Result<u64> {
    let half = |bytes: &mut Unstructured<'_>| match bytes.int_in_range(0..=5u8)? {
        0 => Ok(0),
        1 => Ok(1),
        2 => Ok(u32::MAX),
        3 => Ok(1 << 31),
        _ => bytes.arbitrary::<u32>(),
    };
    Ok(u64::from(half(bytes)?) << 32 | u64::from(half(bytes)?))
}

fn errno(bytes: &mut Unstructured<'_>) -> Result<u16> {
    bytes.int_in_range(0..=4095)
}

fn atom(bytes: &mut Unstructured<'_>) -> Result<Atom> {
    Ok(Atom {
        argument: bytes.int_in_range(0..=5)?,
        operator: bytes.choose(&OPERATORS)?,
        value: value(bytes)?,
        form: bytes.arbitrary()?,
    })
}

fn rule(bytes: &mut Unstructured<'_>) -> Result<Rule> {
    Ok(match bytes.int_in_range(0..=3u8)? {
        0 => Rule::Allow,
        1 => Rule::Refuse(errno(bytes)?),
        _ => {
            let mut clauses = Vec::new();
            for _ in 0..=bytes.int_in_range(0..=4u8)? {
                let atoms = 0..=bytes.int_in_range(0..=3u8)?;
                clauses.push(atoms.map(|_| atom(bytes)).collect::<Result<_>>()?);
            }
            let other = bytes.arbitrary::<bool>()?.then(|| errno(bytes));
            Rule::Check(clauses, other.transpose()?)
        }
    })
}

impl<'a> Arbitrary<'a> for Rules {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut rules = BTreeMap::new();
        while !bytes.is_empty() && rules.len() < 200 {
            rules.insert(bytes.int_in_range(0..=511)?, rule(bytes)?);
        }
        Ok(Self(rules))
    }
}

impl Atom {
    fn text(&self) -> String {
        let value = self.value;
        let number = match self.form % 6 {
            0 => format!("{value}"),
            1 => format!("{value:#x}"),
            2 => format!("0{value:o}"),
            3 => format!("-{}", value.wrapping_neg()),
            4 => format!("~{:#X}", !value).replace("0X", "0x"),
            _ => format!("({:#x}|{:#x})", value & !0xff, value & 0xff),
        };
        format!("arg{} {} {number}", self.argument, self.operator)
    }

    fn holds(&self, arguments: &[u64; 6]) -> bool {
        let (argument, value) = (arguments[self.argument], self.value);
        match self.operator {
            "==" => argument == value,
            "!=" => argument != value,
            "<" => argument < value,
            "<=" => argument <= value,
            ">" => argument > value,
            ">=" => argument >= value,
            "&" => argument & value != 0,
            _ => argument & !value == 0,
        }
    }
}

impl Rule {
    fn text(&self) -> String {
        let (clauses, other) = match self {
            Self::Allow => return "1".into(),
            Self::Refuse(errno) => return format!("return {errno}"),
            Self::Check(clauses, other) => (clauses, other),
        };
        let clause = |atoms: &Vec<Atom>| {
            let atoms: Vec<_> = atoms.iter().map(Atom::text).collect();
            atoms.join(" && ")
        };
        let clauses: Vec<_> = clauses.iter().map(clause).collect();
        let other = other.map_or(String::new(), |errno| format!("; return {errno}"));
        clauses.join(" ||\\\n ") + &other
    }

    fn answer(&self, arguments: &[u64; 6]) -> u32 {
        let refusal = |errno: u16| ERRNO | u32::from(errno);
        match self {
            Self::Allow => ALLOW,
            Self::Refuse(errno) => refusal(*errno),
            Self::Check(clauses, other) => {
                let holds = |clause: &Vec<Atom>| clause.iter().all(|atom| atom.holds(arguments));
                match clauses.iter().any(holds) {
                    true => ALLOW,
                    false => other.map_or(KILL, refusal),
                }
            }
        }
    }

    fn atoms(&self) -> impl Iterator<Item = &Atom> {
        let clauses = match self {
            Self::Check(clauses, _) => &clauses[..],
            _ => &[],
        };
        clauses.iter().flatten()
    }

    /// No more than so many instructions: five for an atom, an answer for each clause and one for none, and in the tree two
    /// comparisons with two jumps, an answer and the one behind it.
    fn size(&self) -> usize {
        let clauses = match self {
            Self::Check(clauses, _) => clauses.len() + 1,
            _ => 0,
        };
        8 + clauses + 5 * self.atoms().count()
    }
}

/// Arguments on either side of every comparison, one after the other, and all of them as they are asked for.
fn trials(rule: &Rule) -> Vec<[u64; 6]> {
    let mut asked = [0; 6];
    for atom in rule.atoms() {
        asked[atom.argument] = atom.value;
    }
    let mut trials = vec![[0; 6], [u64::MAX; 6], asked];
    for atom in rule.atoms() {
        let value = atom.value;
        for near in [
            value,
            value.wrapping_add(1),
            value.wrapping_sub(1),
            value ^ 1 << 32,
            value & 0xffff_ffff,
            value >> 32 << 32,
            !value,
        ] {
            let mut trial = asked;
            trial[atom.argument] = near;
            trials.push(trial);
        }
    }
    trials
}

fuzz_target!(|rules: Rules| {
    let mut text = String::new();
    for (number, rule) in &rules.0 {
        writeln!(text, "{number}: {}", rule.text()).expect("a string has room");
    }
    let program = match policy::program(&TABLE, text.as_bytes(), false) {
        Ok(program) => program.bytes().to_vec(),
        Err((errno, _)) => {
            let size: usize = rules.0.values().map(Rule::size).sum();
            assert!(errno == Errno::E2BIG && size > 480, "{errno:?}: {text}");
            return;
        }
    };
    check(&program);
    for (number, rule) in &rules.0 {
        let ends = ENDS.contains(number);
        for arguments in trials(rule) {
            let answer = if ends { ALLOW } else { rule.answer(&arguments) };
            assert_eq!(
                say(&program, *number, arguments),
                answer,
                "{number} {arguments:x?}\n{text}"
            );
        }
        let next = number + 1;
        if !rules.0.contains_key(&next) && !ENDS.contains(&next) {
            assert_eq!(say(&program, next, [0; 6]), KILL, "{next} is not named");
        }
    }
});
