//! Makes a package: scan, content, metadata, superblock, name.

use std::collections::HashMap;
use std::time::Instant;

use crate::bytecode;
use crate::compression::Compression;
use crate::data::{ContentIndex, DataWriter, Fragment, Source, Written};
use crate::encoder::{Encoder, Encoding};
use crate::error::Result;
use crate::image::ImageFile;
use crate::inode_table::{self, InodeTable, Input};
use crate::metadata::METADATA_STORED;
use crate::observer::{Observer, Unobserved};
use crate::options::{Options, Time};
use crate::output::Output;
use crate::scan::{Scan, scan};
use crate::summary::Summary;
use crate::superblock::{NO_TABLE, Superblock, flag};
use crate::tree::{InodeIndex, Kind, Tree};
use crate::warnings::Warnings;
use crate::xattr::XattrSets;

/// Packs a directory tree into a package; the same tree and options give the same bytes.
///
/// # Errors
/// Names the path and the cause. Whatever the error, nothing is left beside or under the output's
/// name, and an existing output is as it was.
pub fn build(options: &Options) -> Result<Summary> {
    build_observed(options, &Unobserved)
}

/// As [`build`], telling `observer` how far it is and asking whether to go on.
///
/// # Errors
/// As [`build`], and [`crate::Error::Cancelled`] when the observer asks to stop.
pub fn build_observed(options: &Options, observer: &dyn Observer) -> Result<Summary> {
    options.check()?;
    let output = Output::create(&options.output, &options.source, options.force)?;
    build_into(output, options, observer)
}

/// As [`build_observed`], into a file that is open already.
pub(crate) fn build_into(
    output: Output,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Summary> {
    let started = Instant::now();
    let mut warnings = Warnings::default();
    let scan = scan(options, observer, &mut warnings)?;
    let mut summary = Summary {
        excluded: scan.excluded,
        ..Summary::of(&scan.tree)
    };
    observer.start(summary.apparent);

    let mut package = Package::start(options, output)?;
    let order = scan.tree.children_first();
    let (content_of, written) = package.write_content(&scan.tree, &order, observer)?;
    (summary.repeats, _) = written.repeats;
    summary.on_disk = summary
        .on_disk
        .saturating_sub(hole_bytes(&content_of, &written));
    let contents = &written.contents;
    let input = Input {
        options,
        tree: &scan.tree,
        order: &order,
        contents,
        content_of: &content_of,
    };
    let table = inode_table::write(&input, &mut package.encoder, &mut warnings)?;
    warn_of_bytecode(options, &scan.tree, &mut warnings);
    package.write_tables(table, &written.fragments, &scan)?;
    summary.package = package.finish(observer)?;
    summary.warnings = warnings.into_list();
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// A package being written.
struct Package<'a> {
    options: &'a Options,
    encoding: Encoding,
    encoder: Encoder,
    image: ImageFile,
    superblock: Superblock,
}

impl<'a> Package<'a> {
    fn start(options: &'a Options, output: Output) -> Result<Self> {
        let Options {
            compression,
            block_size,
            ..
        } = *options;
        let encoding = Encoding {
            compression,
            level: options.effective_level(),
            block_size,
        };
        let mut image = ImageFile::new(output, &options.output)?;
        let mut flags = flag::DUPLICATES | flag::EXPORTABLE | flag::ALWAYS_FRAGMENTS;
        if compression == Compression::None {
            flags |= flag::UNCOMPRESSED_INODES | flag::UNCOMPRESSED_DATA | flag::UNCOMPRESSED_IDS;
            flags |= flag::UNCOMPRESSED_FRAGMENTS | flag::UNCOMPRESSED_XATTRS;
        }
        if let Some(record) = compressor_options(encoding) {
            flags |= flag::COMPRESSOR_OPTIONS;
            image.append(&(record.len() as u16 | METADATA_STORED).to_le_bytes())?;
            image.append(&record)?;
        }
        let superblock = Superblock {
            block_size,
            block_log: block_size.trailing_zeros() as u16,
            compression: compression.id(),
            flags,
            ..Superblock::default()
        };
        Ok(Self {
            options,
            encoding,
            encoder: Encoder::new(encoding)?,
            image,
            superblock,
        })
    }

    /// Content goes in the order of the inodes: the files of a directory share fragments.
    fn write_content(
        &mut self,
        tree: &Tree,
        order: &[InodeIndex],
        observer: &dyn Observer,
    ) -> Result<(Vec<Option<ContentIndex>>, Written)> {
        let mut sizes: HashMap<u64, u64> = HashMap::new();
        for (_, stamp) in files(tree, order) {
            *sizes.entry(stamp.size).or_default() += 1;
        }
        let threads = self.options.threads;
        let mut writer = DataWriter::new(self.encoding, threads, &mut self.image, observer)?;
        let mut content_of = vec![None; tree.inodes.len()];
        for (index, &stamp) in files(tree, order) {
            let may_repeat = stamp.size > 0 && sizes[&stamp.size] > 1;
            let source = Source {
                path: tree.path(index),
                stamp,
                may_repeat,
            };
            content_of[index] = Some(writer.add(source)?);
        }
        Ok((content_of, writer.finish()?))
    }

    /// The tables in the order that the kernel checks them by.
    fn write_tables(
        &mut self,
        table: InodeTable,
        fragments: &[Fragment],
        scan: &Scan,
    ) -> Result<()> {
        let Self {
            image,
            encoder,
            superblock,
            ..
        } = self;
        superblock.made = made(self.options, &scan.tree);
        superblock.inodes = table.places.len() as u32; // the inode table has counted them
        superblock.ids = table.ids.len()?;
        superblock.root_inode = table.root.reference();
        (superblock.inode_table, _) = image.append_metadata(table.inodes, encoder)?;
        (superblock.directory_table, _) = image.append_metadata(table.directories, encoder)?;
        superblock.fragments = fragments.len() as u32; // the data writer has counted them
        superblock.fragment_table = image.append_table(&fragment_records(fragments), encoder)?;
        let places = table
            .places
            .iter()
            .flat_map(|place| place.reference().to_le_bytes());
        superblock.export_table = image.append_table(&places.collect::<Vec<u8>>(), encoder)?;
        superblock.id_table = image.append_table(table.ids.records(), encoder)?;
        superblock.xattr_table = append_xattrs(image, &scan.xattrs, encoder)?;
        if superblock.xattr_table == NO_TABLE {
            superblock.flags |= flag::NO_XATTRS;
        }
        superblock.bytes_used = image.position();
        Ok(())
    }

    /// The size of the package, which from here on has its name.
    fn finish(self, observer: &dyn Observer) -> Result<u64> {
        if observer.is_cancelled() {
            return Err(crate::Error::Cancelled);
        }
        self.image.publish(&self.superblock)
    }
}

/// The options that follow the superblock: lz4's are mandatory, and those of zstd tell the level.
fn compressor_options(encoding: Encoding) -> Option<Vec<u8>> {
    match encoding.compression {
        // Version 1 (the kernel refuses others), flag 1: made by the high-compression mode.
        Compression::Lz4 => Some(
            [1u32, 1]
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect(),
        ),
        Compression::Zstd => Some(encoding.level.to_le_bytes().to_vec()),
        _ => None,
    }
}

fn files<'a>(
    tree: &'a Tree,
    order: &'a [InodeIndex],
) -> impl Iterator<Item = (InodeIndex, &'a crate::tree::FileStamp)> {
    order
        .iter()
        .filter_map(|&index| match &tree.inodes[index].kind {
            Kind::File(stamp) => Some((index, stamp)),
            _ => None,
        })
}

fn fragment_records(fragments: &[Fragment]) -> Vec<u8> {
    let mut records = Vec::with_capacity(fragments.len() * 16);
    for fragment in fragments {
        records.extend_from_slice(&fragment.start.to_le_bytes());
        records.extend_from_slice(&fragment.size.to_le_bytes());
        records.extend_from_slice(&[0; 4]); // unused
    }
    records
}

/// The attributes, the records that find each set, and a header that finds both.
fn append_xattrs(image: &mut ImageFile, sets: &XattrSets, encoder: &mut Encoder) -> Result<u64> {
    if sets.len() == 0 {
        return Ok(NO_TABLE);
    }
    let (pairs, records) = sets.encode(encoder)?;
    let (pairs_start, _) = image.append_metadata(pairs, encoder)?;
    let mut table = crate::metadata::MetadataWriter::default();
    table.write(&records, encoder)?;
    let (_, blocks) = image.append_metadata(table, encoder)?;
    let start = image.position();
    image.append(&pairs_start.to_le_bytes())?;
    image.append(&sets.len().to_le_bytes())?;
    image.append(&[0; 4])?; // unused
    image.append_index(&blocks)?;
    Ok(start)
}

/// When the package was made: never "now", which would make each build differ.
fn made(options: &Options, tree: &Tree) -> u32 {
    match options.time {
        Time::Set(time) => time,
        Time::Keep => {
            let newest = tree
                .inodes
                .iter()
                .map(|inode| inode.modified)
                .max()
                .unwrap_or(0);
            newest.clamp(0, i64::from(u32::MAX)) as u32
        }
    }
}

/// Whole 4 KiB blocks of the files that are holes, and so take no space on a disk.
fn hole_bytes(content_of: &[Option<ContentIndex>], written: &Written) -> u64 {
    content_of
        .iter()
        .flatten()
        .map(|&content| written.contents[content].holes & !4095)
        .sum()
}

fn warn_of_bytecode(options: &Options, tree: &Tree, warnings: &mut Warnings) {
    if options.time == Time::Keep {
        return;
    }
    for (index, inode) in tree.inodes.iter().enumerate() {
        if matches!(inode.kind, Kind::File(_)) && bytecode::depends_on_time(&tree.path(index)) {
            warnings.note(
                "Python will compile these again at every start, as their sources get a new time \
                 (--time keep, or compile them with --invalidation-mode unchecked-hash)",
                &tree.relative_path(index),
            );
        }
    }
}
