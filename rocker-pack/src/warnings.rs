//! What the user should know although the package was made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that concerns one or more files; the first of them is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What happened.
    pub what: String,
    /// The first file that it happened to, within the tree.
    pub first: PathBuf,
    /// How many files it happened to.
    pub count: u64,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.what, self.first)?;
        match self.count {
            1 => Ok(()),
            2 => f.write_str(" and 1 other"),
            count => write!(f, " and {} others", count - 1),
        }
    }
}

/// Collects warnings, each text once.
#[derive(Debug, Default)]
pub(crate) struct Warnings(BTreeMap<String, (PathBuf, u64)>);

impl Warnings {
    /// Notes that `what` happened to `path`.
    pub(crate) fn note(&mut self, what: impl Into<String>, path: &Path) {
        let entry = self
            .0
            .entry(what.into())
            .or_insert_with(|| (path.to_path_buf(), 0));
        entry.1 += 1;
    }

    /// The warnings, sorted by their text.
    pub(crate) fn into_list(self) -> Vec<Warning> {
        let list = self.0.into_iter();
        list.map(|(what, (first, count))| Warning { what, first, count })
            .collect()
    }
}
