//! What a package is, from its superblock.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::compression::Compression;
use crate::erofs::{Erofs, is_erofs};
use crate::error::{Context, Error, Result};
use crate::kernel_memory;
use crate::reader;
use crate::signing::{Signed, Tail};
use crate::superblock::{NO_TABLE, Superblock, flag};
use crate::utc;

/// Blocks of this size cost megabytes of kernel memory per mount.
const LARGE_BLOCK: u32 = 512 << 10;

/// The superblock of either format that can be a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// squashfs 4.0.
    Squashfs(Superblock),
    /// erofs.
    Erofs(Erofs),
}

/// What [`inspect`] found; printed with `{}` it is the report of `rocker-pack inspect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The package.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The size of the file in bytes.
    pub file_size: u64,
    /// Who says to have signed it; [`crate::verify`] tells whether that is so.
    pub signature: Option<Signed>,
    /// Kernel memory per mount in bytes; an estimate.
    pub kernel_memory: u64,
    /// What speaks against using this package, or this kind of package.
    pub warnings: Vec<String>,
}

/// Recognises a squashfs or erofs package and reads its superblock.
///
/// # Errors
/// The file cannot be read, or is neither, or has a superblock that Linux would not mount.
pub fn inspect(path: &Path) -> Result<Inspection> {
    examine(path).map(|(inspection, ..)| inspection)
}

/// As [`inspect`], with the file that was looked at and its end.
pub(crate) fn examine(path: &Path) -> Result<(Inspection, File, Tail)> {
    let (file, head, file_size) = reader::open(path)?;
    let corrupt = |what: String| Error::Corrupt {
        path: path.into(),
        what,
    };
    let (format, kernel_memory, warnings) = if is_erofs(&head) {
        let erofs = Erofs::decode(&head).map_err(corrupt)?;
        (Format::Erofs(erofs), kernel_memory::EROFS, Vec::new())
    } else {
        let superblock =
            Superblock::decode(&head).map_err(|what| match head.starts_with(b"hsqs") {
                true => corrupt(what),
                false => corrupt("is neither a squashfs nor an erofs package".into()),
            })?;
        let Some(compression) = Compression::from_id(superblock.compression) else {
            return Err(corrupt(format!(
                "compression {} is unknown",
                superblock.compression
            )));
        };
        let memory = kernel_memory::squashfs(compression, superblock.block_size);
        let warnings = squashfs_warnings(&superblock, compression, memory);
        (Format::Squashfs(superblock), memory, warnings)
    };
    let tail = Tail::read(&file, file_size).context("read", path)?;
    let mut inspection = Inspection {
        path: path.into(),
        format,
        file_size,
        signature: tail.signature(),
        kernel_memory,
        warnings,
    };
    if inspection.is_truncated() {
        inspection
            .warnings
            .insert(0, truncation(inspection.bytes_used(), file_size));
    }
    Ok((inspection, file, tail))
}

fn truncation(bytes_used: u64, file_size: u64) -> String {
    let missing = bytes_used - file_size;
    format!("truncated: {missing} of {bytes_used} bytes are missing, it will not mount")
}

fn squashfs_warnings(
    superblock: &Superblock,
    compression: Compression,
    memory: u64,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if compression == Compression::Xz {
        warnings.push("xz starts programs slowly: 50 ms for 2 MB where zstd takes 4".into());
    }
    if superblock.block_size >= LARGE_BLOCK {
        warnings.push(format!(
            "blocks of {} KiB cost about {} KiB of kernel memory per mount; 16 to 64 KiB cost a tenth",
            superblock.block_size >> 10,
            memory >> 10
        ));
    }
    let tables = [
        superblock.inode_table,
        superblock.directory_table,
        superblock.id_table,
    ];
    if tables.iter().any(|&table| table >= superblock.bytes_used) {
        warnings.push("damaged: a table lies beyond the end, it will not mount".into());
    }
    warnings
}

impl Inspection {
    /// The bytes that the package's superblock claims.
    pub fn bytes_used(&self) -> u64 {
        match &self.format {
            Format::Squashfs(superblock) => superblock.bytes_used,
            Format::Erofs(erofs) => erofs.bytes_used,
        }
    }

    /// Whether the file is shorter than its superblock claims; the kernel then refuses it.
    pub fn is_truncated(&self) -> bool {
        self.file_size < self.bytes_used()
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<15}{value}");
        row("package", &format_args!("{:?}", self.path))?;
        match &self.format {
            Format::Squashfs(superblock) => squashfs_rows(superblock, &mut row)?,
            Format::Erofs(erofs) => erofs_rows(erofs, &mut row)?,
        }
        row("bytes used", &self.bytes_used())?;
        row("file size", &self.file_size)?;
        match &self.signature {
            None => row("signature", &"none")?,
            Some(Signed { key, comment }) => {
                row(
                    "signature",
                    &format_args!("by key {key}, not checked: {comment:?}"),
                )?;
            }
        }
        let kib = self.kernel_memory >> 10;
        row(
            "kernel memory",
            &format_args!("about {kib} KiB per mount, page cache apart"),
        )?;
        self.warnings
            .iter()
            .try_for_each(|warning| row("warning", warning))
    }
}

type Row<'a> = dyn FnMut(&str, &dyn fmt::Display) -> fmt::Result + 'a;

fn squashfs_rows(superblock: &Superblock, row: &mut Row<'_>) -> fmt::Result {
    row("format", &"squashfs 4.0")?;
    row("compression", &compression(superblock))?;
    row(
        "block size",
        &format_args!("{} KiB", superblock.block_size >> 10),
    )?;
    row("inodes", &superblock.inodes)?;
    row("fragments", &superblock.fragments)?;
    row("ids", &superblock.ids)?;
    row(
        "xattrs",
        &if superblock.xattr_table == NO_TABLE {
            "no"
        } else {
            "yes"
        },
    )?;
    row("made", &utc::format(superblock.made.into()))?;
    let names = flag::NAMES.iter().filter(|(bit, _)| superblock.has(*bit));
    row(
        "flags",
        &names.map(|(_, name)| *name).collect::<Vec<_>>().join(" "),
    )
}

/// A package without compression names one all the same.
fn compression(superblock: &Superblock) -> String {
    let stored = flag::UNCOMPRESSED_DATA | flag::UNCOMPRESSED_INODES | flag::UNCOMPRESSED_FRAGMENTS;
    let name = Compression::from_id(superblock.compression).map_or("unknown", Compression::name);
    match superblock.has(stored) {
        true => format!("none (the kernel needs {name} to mount it)"),
        false => name.into(),
    }
}

fn erofs_rows(erofs: &Erofs, row: &mut Row<'_>) -> fmt::Result {
    let or_none = |names: &[&str]| {
        if names.is_empty() {
            "none".into()
        } else {
            names.join(" ")
        }
    };
    row("format", &"erofs")?;
    row("compression", &or_none(&erofs.compressions))?;
    row("block size", &format_args!("{} bytes", erofs.block_size))?;
    row("inodes", &erofs.inodes)?;
    row("made", &utc::format(erofs.made))?;
    row("features", &or_none(&erofs.features))
}
