//! `Calls`: what becomes of each system call, and the program that says it.

use super::answer::Answer;
use super::program::{ARCHITECTURE, AT_LEAST, EQUAL, NUMBER, Program};
use super::table::{CALLS_MAX, Table};
use rocker_sys::Result;

/// What a filter does with a call: it answers, or it goes on at a place of the checks. A number in which they do not meet,
/// as there is one for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf(u32);

impl Leaf {
    /// An action that no kernel knows.
    const CHECK: u32 = 1 << 16;

    pub(crate) const fn answer(answer: Answer) -> Self {
        Self(answer.0)
    }

    pub(crate) const fn check(place: usize) -> Self {
        Self(Self::CHECK | place as u32)
    }

    fn put(self, program: &mut Program) -> Result<()> {
        if self.0 & !0xffff == Self::CHECK {
            program.jump_into(self.0 & 0xffff)
        } else {
            program.answer(Answer(self.0))
        }
    }
}

/// Calls from this number on have the same leaf.
type Segment = (u32, Leaf);

/// As many as can be: each call apart, and the private ones.
type Segments = heapless::Vec<Segment, { CALLS_MAX + 3 }>;

/// What becomes of each call, by its number, and of all the others.
pub(crate) struct Calls {
    pub(crate) known: [Leaf; CALLS_MAX],
    pub(crate) others: Leaf,
}

impl Calls {
    /// All of them get this answer.
    pub(crate) fn all(answer: Answer) -> Self {
        Self {
            known: [Leaf::answer(answer); CALLS_MAX],
            others: Leaf::answer(answer),
        }
    }

    /// The whole program: calls of another architecture are refused, whatever they are; then the number is looked up, by
    /// halves; then come the checks, to which few calls lead.
    ///
    /// Since 5.11 the kernel finds out for itself which numbers are let through in any case, and does not run the program
    /// for those; so it looks at the number first and at arguments last.
    pub(crate) fn assemble(
        &self,
        table: &Table,
        foreign: Answer,
        checks: &Program,
    ) -> Result<Program> {
        let mut program = Program::new()?;
        program.load(ARCHITECTURE)?;
        program.compare(EQUAL, table.architecture, 1, 0)?;
        program.answer(foreign)?;
        program.load(NUMBER)?;
        put_tree(&mut program, &self.segments(table))?;
        program.append(checks)?;
        Ok(program)
    }

    fn segments(&self, table: &Table) -> Segments {
        let mut segments = Segments::new();
        let mut put = |number: u32, leaf: Leaf| {
            if segments.last().is_none_or(|(_, last)| *last != leaf) {
                // There is room for each call.
                segments.push((number, leaf)).unwrap_or_default();
            }
        };
        for (number, leaf) in (0..).zip(&self.known) {
            put(number, *leaf);
        }
        put(CALLS_MAX as u32, self.others);
        let (from, to) = table.private;
        if to > 0 {
            put(from, Leaf::answer(Answer::ALLOW));
            put(to, self.others);
        }
        segments
    }
}

/// A jump over more than so many segments takes an instruction of its own: none of them takes more than three.
const NEAR: usize = 80;

fn put_tree(program: &mut Program, segments: &[Segment]) -> Result<()> {
    let (lower, upper) = segments
        .split_at_checked(segments.len() / 2)
        .unwrap_or_default();
    let at = program.len();
    match (lower, upper) {
        ([], [(_, leaf), ..]) => return leaf.put(program),
        (_, [(number, _), ..]) if lower.len() <= NEAR => {
            program.compare(AT_LEAST, *number, 0, 0)?
        }
        (_, [(number, _), ..]) => {
            program.compare(AT_LEAST, *number, 0, 1)?;
            program.jump(0)?;
        }
        _ => return Ok(()),
    }
    let jump = program.len().wrapping_sub(1);
    put_tree(program, lower)?;
    program.land(jump.max(at));
    put_tree(program, upper)
}
