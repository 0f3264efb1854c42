//! Starting an App.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::advise::child;
use crate::advise::content::read_file;
use crate::error::{Context, Error, Result};
use crate::observer::Observer;

/// What stands for the start of the App.
pub(crate) enum Start<'a> {
    /// This program of the tree, with its arguments, until it ends.
    Program(&'a [String]),
    /// Reading this file.
    File(&'a Path),
    /// The tree has no file.
    Nothing,
}

impl Start<'_> {
    /// Starts the App of the tree at `root`; how long it took.
    pub(crate) fn run(&self, root: &Path, observer: &dyn Observer) -> Result<Duration> {
        let started = Instant::now();
        match self {
            Self::File(file) => read_file(&root.join(file)).context("read", file)?,
            Self::Program([program, arguments @ ..]) => {
                let mut command = Command::new(root.join(program));
                command.args(arguments).current_dir(root);
                let status = child::run(&mut command, observer)?;
                if !status.success() {
                    return Err(Error::Options(format!("--start {program}: {status}")));
                }
            }
            Self::Nothing => {}
            Self::Program([]) => return Err(Error::Options("--start names no program".into())),
        }
        Ok(started.elapsed())
    }
}
