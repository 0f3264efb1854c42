//! Tries the ways of packing a tree, and says which one to take.
//!
//! Everything is packed into files without names, then measured in rounds in which all packages and the unpacked tree
//! take turns, in a mount namespace that nobody else sees. So whatever ends us, nothing is left: no file, no mount, no
//! loop device.

mod candidate;
mod child;
mod cold;
mod content;
mod figures;
mod image;
mod kernel_use;
mod measure;
mod mkfs_erofs;
mod rule;
mod stage;
mod start;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::error::{Context, Error, Result};
use crate::observer::Observer;
use crate::options::Options;
use crate::output::Output;
use crate::scan::scan;
use crate::summary::Summary;
use crate::warnings::Warnings;

pub use candidate::Candidate;
use candidate::candidates;
use content::Content;
pub use figures::Figures;
use image::{Image, pack};
use measure::Trials;
use mkfs_erofs::MkfsErofs;
pub use rule::{Choice, Prefer, Terms, Trial, recommend};
use stage::Stage;
use start::Start;

/// What [`advise()`] wants to know.
#[derive(Clone, Debug)]
pub struct AdviseOptions {
    /// The tree, and what is left out and changed of it; compression, level and block size are what is tried.
    pub pack: Options,
    /// A directory on the file system whose reading is to be measured; packages are mounted over it, unseen by others.
    pub work: PathBuf,
    /// A program of the tree and its arguments: its start is measured, from nothing to its end. Without one it is the
    /// reading of the largest executable.
    pub start: Option<Vec<String>>,
    /// What counts most.
    pub prefer: Prefer,
    /// The most kernel memory per mount, in bytes.
    pub memory_limit: u64,
    /// How often everything is measured.
    pub rounds: NonZeroUsize,
}

impl AdviseOptions {
    /// A fortieth of the memory of a device of 32 MiB.
    pub const MEMORY_LIMIT: u64 = 768 << 10;
}

/// One way of packing, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// How it is packed.
    pub candidate: Candidate,
    /// The size of the package in bytes, or why there is none.
    pub bytes: std::result::Result<u64, String>,
    /// What was measured, or why nothing was.
    pub figures: std::result::Result<Figures, String>,
}

/// What [`advise()`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// What the tree takes on a disk with blocks of 4 KiB, and its content.
    pub on_disk: u64,
    /// The bytes of content in the files.
    pub apparent: u64,
    /// The unpacked tree where it lies, or why nothing was measured.
    pub unpacked: std::result::Result<Figures, String>,
    /// What stood for the start of the App.
    pub start: String,
    /// Everything that was tried.
    pub rows: Vec<Row>,
    /// What was not tried, and why.
    pub notes: Vec<String>,
    /// What to take.
    pub choice: Option<Choice>,
}

/// Packs the tree in many ways, measures them, and recommends one.
///
/// # Errors
/// The tree cannot be packed, its program cannot be started, the directory has no nameless files, or the observer asks to
/// stop. That nothing can be mounted is no error: the advice says so, and knows only the sizes.
pub fn advise(options: &AdviseOptions, observer: &(dyn Observer + Sync)) -> Result<Advice> {
    options.pack.check()?;
    let options = &absolute(options)?;
    let tree = scan(&options.pack, observer, &mut Warnings::default())?.tree;
    let (summary, content) = (Summary::of(&tree), Content::of(&tree));
    if options.start.is_some() {
        observer.phase("starting the program of the unpacked tree");
        start(options, &content).run(&options.pack.source, observer)?;
    }
    let mkfs = MkfsErofs::find();
    let mut notes = notes(options, mkfs.as_ref());
    let mkfs = mkfs.filter(|_| options.pack.exclude.is_empty());
    let (mut rows, images) = pack_all(options, mkfs.as_ref(), observer)?;
    observer.phase(&format!("measuring {} packages", images.len()));
    let unpacked = measure(options, &content, &images, observer)?
        .and_then(|figures| hand_out(figures, &mut rows));
    if let Err(reason) = &unpacked {
        notes.push(format!("only sizes: {reason}"));
    }
    let terms = Terms {
        prefer: options.prefer,
        memory_limit: options.memory_limit,
        on_disk: summary.on_disk,
        unpacked: unpacked.as_ref().ok().copied(),
    };
    Ok(Advice {
        on_disk: summary.on_disk,
        apparent: summary.apparent,
        start: started(options, &content),
        choice: recommend(&trials(&rows), &terms),
        unpacked,
        rows,
        notes,
    })
}

/// A program is started in another directory, so the tree must be found from anywhere.
fn absolute(options: &AdviseOptions) -> Result<AdviseOptions> {
    let source = &options.pack.source;
    let mut options = options.clone();
    options.pack.source = source.canonicalize().context("open directory", source)?;
    Ok(options)
}

/// Gives each packed row its figures; what is left are those of the tree, which come first.
fn hand_out(
    figures: Vec<std::result::Result<Figures, String>>,
    rows: &mut [Row],
) -> std::result::Result<Figures, String> {
    let mut figures = figures.into_iter();
    let unpacked = figures.next();
    let packed = rows.iter_mut().filter(|row| row.bytes.is_ok());
    packed
        .zip(figures)
        .for_each(|(row, figures)| row.figures = figures);
    unpacked.unwrap_or_else(|| Err("not measured".into()))
}

/// Refuses an output that cannot be made, before minutes go into finding out what to put there.
///
/// # Errors
/// As [`crate::build()`].
pub fn check_output(options: &Options) -> Result<()> {
    Output::create(&options.output, &options.source, options.force).map(drop)
}

/// Builds the package of a candidate under the name that the options give it.
///
/// # Errors
/// As [`crate::build()`].
pub fn build_candidate(
    candidate: Candidate,
    options: &Options,
    observer: &dyn Observer,
) -> Result<u64> {
    options.check()?;
    let output = Output::create(&options.output, &options.source, options.force)?;
    image::write(
        candidate,
        options,
        MkfsErofs::find().as_ref(),
        output,
        observer,
    )
}

fn trials(rows: &[Row]) -> Vec<Trial> {
    let trial = |row: &Row| {
        Some(Trial {
            candidate: row.candidate,
            bytes: *row.bytes.as_ref().ok()?, // what could not be packed is no trial
            figures: row.figures.as_ref().ok().copied(),
        })
    };
    rows.iter().filter_map(trial).collect()
}

/// One row each, and the packages of those rows that have a size.
fn pack_all(
    options: &AdviseOptions,
    mkfs: Option<&MkfsErofs>,
    observer: &dyn Observer,
) -> Result<(Vec<Row>, Vec<Image>)> {
    let (mut rows, mut images) = (Vec::new(), Vec::new());
    let can_write = |candidate| mkfs.is_some_and(|mkfs| mkfs.knows(candidate));
    for candidate in candidates(can_write) {
        observer.phase(&format!("packing {candidate}"));
        let bytes = match pack(candidate, &options.pack, mkfs, &options.work, observer) {
            Ok(image) => {
                let bytes = image.bytes;
                images.push(image);
                Ok(bytes)
            }
            // Another program's troubles spoil its own row only.
            Err(error @ Error::Codec { .. }) => Err(error.to_string()),
            Err(error) => return Err(error),
        };
        let figures = Err("not measured".into());
        rows.push(Row {
            candidate,
            bytes,
            figures,
        });
    }
    Ok((rows, images))
}

/// Everything's figures, the tree's first; or, inside, why nothing can be mounted here.
type Measured = std::result::Result<Vec<std::result::Result<Figures, String>>, String>;

/// In a thread of its own, as a mount namespace belongs to a thread and this one is the caller's.
fn measure(
    options: &AdviseOptions,
    content: &Content,
    images: &[Image],
    observer: &(dyn Observer + Sync),
) -> Result<Measured> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let stage = match Stage::enter(&options.work) {
                Ok(stage) => stage,
                Err(reason) => return Ok(Err(reason)),
            };
            let trials = Trials {
                stage: &stage,
                tree: &options.pack.source,
                content,
                start: start(options, content),
                images,
                observer,
            };
            trials.run(options.rounds.get()).map(Ok)
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn start<'a>(options: &'a AdviseOptions, content: &'a Content) -> Start<'a> {
    match (&options.start, &content.largest) {
        (Some(words), _) => Start::Program(words),
        (None, Some(file)) => Start::File(file),
        (None, None) => Start::Nothing,
    }
}

fn started(options: &AdviseOptions, content: &Content) -> String {
    match (&options.start, &content.largest) {
        (Some(words), _) => format!("running {:?} to its end", words.join(" ")),
        (None, Some(file)) => {
            format!("reading {file:?}, the largest executable (--start names a program)")
        }
        (None, None) => "nothing: there is no file".into(),
    }
}

fn notes(options: &AdviseOptions, mkfs: Option<&MkfsErofs>) -> Vec<String> {
    match mkfs {
        None => vec!["erofs was not tried: mkfs.erofs is not installed".into()],
        Some(_) if !options.pack.exclude.is_empty() => {
            vec!["erofs was not tried: its patterns of what to leave out are others".into()]
        }
        Some(mkfs) if !mkfs.has("zstd") => {
            vec!["erofs was not tried with zstd: this mkfs.erofs has none (1.8 has)".into()]
        }
        Some(_) => Vec::new(),
    }
}
