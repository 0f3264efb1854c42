//! Names of system calls.

use super::Table;

/// The number of the call with this name.
pub(crate) fn number_of(table: &Table, name: &[u8]) -> Option<usize> {
    let mut search = Search {
        table,
        name,
        number: 0,
        rest: Some(name),
        found: None,
    };
    for byte in table.names {
        search.see(*byte);
    }
    search.found
}

struct Search<'a> {
    table: &'a Table,
    name: &'a [u8],
    /// Of the name that is being looked at.
    number: usize,
    /// What is left of the name that is looked for, as long as this one is the same.
    rest: Option<&'a [u8]>,
    found: Option<usize>,
}

impl Search<'_> {
    fn see(&mut self, byte: u8) {
        let pair = usize::from(byte)
            .checked_sub(128)
            .and_then(|at| self.table.pairs.get(at));
        if let Some([first, second]) = pair {
            self.see(*first);
            self.see(*second);
        } else if byte == b'\n' {
            if self.rest == Some(&[]) && !self.name.is_empty() {
                self.found = Some(self.number);
            }
            self.number = self.number.saturating_add(1);
            self.rest = Some(self.name);
        } else {
            self.rest = self.rest.and_then(|rest| rest.strip_prefix(&[byte]));
        }
    }
}
