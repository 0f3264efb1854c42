//! What can go wrong, always with the path it went wrong on.

use std::io;
use std::path::{Path, PathBuf};

/// Why a package was not made, or not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed; the text names it, the path and the errno.
    #[error("cannot {action} {path:?}: {source}")]
    Io {
        /// What was being done, as a verb: `open`, `read directory`.
        action: &'static str,
        /// The file that it was done to.
        path: PathBuf,
        /// The errno.
        source: io::Error,
    },
    /// The request makes no sense for this path (exists already, is no directory, ...).
    #[error("{path:?}: {reason}")]
    Refused {
        /// The path that was refused.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file was modified between the scan and the end of its reading.
    #[error("{path:?} changed while it was being packed; nothing was written")]
    Changed {
        /// The file that moved under us.
        path: PathBuf,
    },
    /// An option has no meaning, or not this value.
    #[error("{0}")]
    Options(String),
    /// The tree needs more of something than the format can number.
    #[error("squashfs cannot hold this tree: {0}")]
    Limit(String),
    /// A package that is damaged, cut off, or not a package.
    #[error("{path:?}: {what}")]
    Corrupt {
        /// The package.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A compressor refused a block; this is a defect of ours, not of the input.
    #[error("the {codec} compressor failed: {what}")]
    Codec {
        /// The compressor's name.
        codec: &'static str,
        /// Its own words.
        what: String,
    },
    /// The caller asked to stop; nothing was written.
    #[error("interrupted; nothing was written")]
    Cancelled,
}

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds what was being done, and to which file, to a bare errno.
pub(crate) trait Context<T> {
    /// Names the `action` and the `path` of a failed system call.
    fn context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::Io {
            action,
            path: path.to_path_buf(),
            source: error.into(),
        })
    }
}
