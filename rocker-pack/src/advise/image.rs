//! A package on trial: a file without a name.

use std::fs::File;
use std::path::Path;

use crate::advise::candidate::Candidate;
use crate::advise::mkfs_erofs::MkfsErofs;
use crate::build::build_into;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::options::Options;
use crate::output::Output;

/// A finished package; it goes with the descriptor, whoever dies.
pub(crate) struct Image {
    pub(crate) candidate: Candidate,
    pub(crate) file: File,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

/// Packs the tree of `options` in one way.
pub(crate) fn pack(
    candidate: Candidate,
    options: &Options,
    mkfs: Option<&MkfsErofs>,
    directory: &Path,
    observer: &dyn Observer,
) -> Result<Image> {
    let output = Output::nameless(directory)?;
    let file = output.try_clone()?;
    let bytes = write(candidate, options, mkfs, output, observer)?;
    Ok(Image {
        candidate,
        file,
        bytes,
    })
}

/// Writes the package of a candidate, and publishes it if the output is to have a name. Its size.
pub(crate) fn write(
    candidate: Candidate,
    options: &Options,
    mkfs: Option<&MkfsErofs>,
    output: Output,
    observer: &dyn Observer,
) -> Result<u64> {
    match candidate {
        Candidate::Squashfs {
            compression,
            block_size,
        } => {
            let options = Options {
                compression,
                block_size,
                level: None,
                ..options.clone()
            };
            Ok(build_into(output, &options, observer)?.package)
        }
        Candidate::Erofs { .. } => {
            let mkfs = mkfs.ok_or_else(|| Error::Options("mkfs.erofs is not installed".into()))?;
            let bytes = mkfs.write(candidate, options, &output.file, observer)?;
            output.publish()?;
            Ok(bytes)
        }
    }
}
