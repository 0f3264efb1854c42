//! The filters of Rocker's own: `default` and `strict`.

use super::answer::Answer;
use super::calls::{Calls, Leaf};
use super::program::Program;
use super::rule::{Rule, put_check};
use super::table::Table;
use rocker_sys::Result;

/// The program of one of them.
///
/// What the table does not know is newer than it, and does not exist: libcs try what is new and go back to what is old when
/// they are told so, and nobody has looked yet at what a new call may do.
#[inline(never)] // smaller by itself
pub(crate) fn program(table: &Table, is_strict: bool, is_logged: bool) -> Result<Program> {
    let mut checks = Program::new()?;
    let mut places = [Leaf::answer(Answer::EPERM); Rule::CHECKS as usize];
    for (number, place) in (0..).zip(&mut places) {
        *place = Leaf::check(checks.len());
        put_check(&mut checks, number)?;
    }
    let mut calls = Calls::all(Answer::ENOSYS);
    let mut known = calls.known.iter_mut();
    for (count, rules) in table.runs {
        let rule = Rule(if is_strict { rules >> 4 } else { rules & 15 });
        let checked = rule
            .number_of_check()
            .and_then(|number| places.get(usize::from(number)));
        let leaf = match checked {
            Some(place) => *place,
            None => Leaf::answer(rule.answer()),
        };
        for slot in known.by_ref().take((*count).into()) {
            *slot = leaf;
        }
    }
    if !is_logged {
        return calls.assemble(table, Answer::ENOSYS, &checks);
    }
    // Of another architecture's calls nobody knows what they would have led to.
    let mut program = calls.assemble(table, Answer::LOG, &checks)?;
    program.report();
    Ok(program)
}
