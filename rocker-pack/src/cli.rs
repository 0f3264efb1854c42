//! The command line: what it accepts, and what it means.

mod build_help;
mod signing;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use rocker_pack::{AdviseOptions, Compression, DEFAULT_TIME, Options, Owner, Prefer, Time};

use self::build_help::BUILD_HELP;
pub use self::signing::{KeygenArguments, SignArguments, VerifyArguments};

/// Makes, inspects and signs packages: read-only squashfs images that Linux mounts.
#[derive(Parser)]
#[command(
    name = "rocker-pack",
    version,
    subcommand_required = true,
    after_help = "Exit codes: 0 done, 1 failed (the message names the path and the cause), 2 wrong usage.\n\
        'rocker-pack build --help' explains each option."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// Pack a directory tree into a package
    #[command(after_help = BUILD_HELP)]
    Build(BuildArguments),
    /// Show what a squashfs or erofs package is, and what mounting it costs
    Inspect(InspectArguments),
    /// Make a pair of keys to sign packages with
    #[command(after_help = signing::KEYGEN_HELP)]
    Keygen(KeygenArguments),
    /// Sign a package
    #[command(after_help = signing::SIGN_HELP)]
    Sign(SignArguments),
    /// Check who has signed a package
    #[command(after_help = signing::VERIFY_HELP)]
    Verify(VerifyArguments),
}

/// What `build` accepts.
#[derive(Args)]
pub struct BuildArguments {
    /// The directory whose content becomes the root of the package
    #[arg(value_name = "DIR")]
    source: PathBuf,
    /// The package to write; with --advise the recommended one, and only if named
    #[arg(
        short,
        long,
        value_name = "APP.sqfs",
        required_unless_present = "advise"
    )]
    output: Option<PathBuf>,
    /// How to compress
    #[arg(
        short,
        long,
        value_enum,
        default_value = "zstd",
        hide_possible_values = true,
        value_name = "gzip|xz|lzo|lz4|zstd|none"
    )]
    compression: Compression,
    /// How hard to compress: gzip 1-12 (9), xz 0-9 (6), lz4 1-12 (12), zstd 1-22 (19)
    #[arg(short, long, value_name = "N")]
    level: Option<i32>,
    /// Bytes per block, a power of two from 4K to 1M
    #[arg(short, long, value_name = "SIZE", default_value = "64K", value_parser = parse_size)]
    block_size: u32,
    /// Leave out what fits this pattern, and what lies below; may be repeated. A pattern without a
    /// slash fits a name at any depth, one with a slash a path from DIR; ** spans directories
    #[arg(short, long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Who owns the files: as they are, 0:0, or these numbers
    #[arg(long, value_name = "keep|root|UID:GID", default_value = "keep", value_parser = parse_owner)]
    owner: Owner,
    /// The time of every file, in seconds since 1970, or 'keep' for their own. Without this,
    /// SOURCE_DATE_EPOCH from the environment, else 1980-01-02
    #[arg(long, value_name = "EPOCH|keep", value_parser = parse_time)]
    time: Option<Time>,
    /// Leave out extended attributes
    #[arg(long)]
    no_xattrs: bool,
    /// Compress with this many threads instead of one per processor; the package is the same
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
    /// Replace an existing package
    #[arg(short, long)]
    force: bool,
    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Try compressions and block sizes, measure, and recommend one
    #[arg(long, conflicts_with_all = ["compression", "level", "block_size"])]
    pub advise: bool,
    #[command(flatten)]
    advice: AdviseArguments,
}

/// What `build --advise` accepts beyond.
#[derive(Args)]
#[command(next_help_heading = "With --advise")]
pub struct AdviseArguments {
    /// What counts most; see below
    #[arg(
        long,
        value_enum,
        requires = "advise",
        hide_possible_values = true,
        default_value = "flash",
        value_name = "flash|speed|memory"
    )]
    prefer: Prefer,
    /// A program of DIR, by its path in there, and its arguments, split at spaces: its start is measured, in the
    /// root of the package, until it ends. Without this, the reading of the largest executable
    #[arg(long, requires = "advise", value_name = "COMMAND")]
    start: Option<String>,
    /// The most kernel memory per mount
    #[arg(long, requires = "advise", value_name = "SIZE", default_value = "768K", value_parser = parse_bytes)]
    max_memory: u32,
    /// Measure this often, and take the medians
    #[arg(long, requires = "advise", value_name = "N", default_value = "3")]
    rounds: std::num::NonZeroUsize,
    /// Where the packages lie that are tried, nameless: a directory on the disk that is to be measured. They are
    /// mounted over it, in a mount namespace of their own
    #[arg(
        long,
        requires = "advise",
        value_name = "DIRECTORY",
        default_value = "/var/tmp"
    )]
    work_dir: PathBuf,
}

/// What `inspect` accepts.
#[derive(Args)]
pub struct InspectArguments {
    /// The package
    #[arg(value_name = "APP.sqfs")]
    pub package: PathBuf,
    /// List the files, one per line like 'tar tv' (squashfs only)
    #[arg(short, long)]
    pub list: bool,
}

impl BuildArguments {
    /// The library's options; `epoch` is the value of SOURCE_DATE_EPOCH.
    pub fn options(&self, epoch: Option<&str>) -> Result<Options, String> {
        let time =
            match (self.time, epoch) {
                (Some(time), _) => time,
                (None, None) => Time::Set(DEFAULT_TIME),
                (None, Some(epoch)) => Time::Set(epoch.parse().map_err(|_| {
                    format!("SOURCE_DATE_EPOCH is {epoch:?}, not seconds since 1970")
                })?),
            };
        Ok(Options {
            compression: self.compression,
            level: self.level,
            block_size: self.block_size,
            exclude: self.exclude.clone(),
            owner: self.owner,
            time,
            xattrs: !self.no_xattrs,
            force: self.force,
            threads: self.threads,
            ..Options::new(
                &self.source,
                self.output.as_deref().unwrap_or(Path::new("")),
            )
        })
    }

    /// What the advice is to be on, and where its package goes, if anywhere.
    pub fn advise_options(&self, pack: Options) -> (AdviseOptions, Option<&Path>) {
        let words = |command: &String| command.split_whitespace().map(String::from).collect();
        let options = AdviseOptions {
            pack,
            work: self.advice.work_dir.clone(),
            start: self.advice.start.as_ref().map(words),
            prefer: self.advice.prefer,
            memory_limit: self.advice.max_memory.into(),
            rounds: self.advice.rounds,
        };
        (options, self.output.as_deref())
    }
}

fn parse_size(text: &str) -> Result<u32, String> {
    let size = parse_bytes(text)?;
    let allowed = size.is_power_of_two() && (4 << 10..=1 << 20).contains(&size);
    allowed
        .then_some(size)
        .ok_or_else(|| "not a power of two from 4K to 1M".into())
}

fn parse_bytes(text: &str) -> Result<u32, String> {
    let (digits, factor) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1 << 10),
        None => match text.strip_suffix(['M', 'm']) {
            Some(digits) => (digits, 1 << 20),
            None => (text, 1),
        },
    };
    let number: u32 = digits
        .parse()
        .map_err(|_| "not a size such as 64K".to_string())?;
    number
        .checked_mul(factor)
        .ok_or_else(|| "not below 4096M".into())
}

fn parse_owner(text: &str) -> Result<Owner, String> {
    let wrong = || "not 'keep', 'root' or UID:GID in numbers".to_string();
    match text {
        "keep" => Ok(Owner::Keep),
        "root" => Ok(Owner::Set { uid: 0, gid: 0 }),
        ids => {
            let (uid, gid) = ids.split_once(':').ok_or_else(wrong)?;
            let number = |id: &str| id.parse().map_err(|_| wrong());
            Ok(Owner::Set {
                uid: number(uid)?,
                gid: number(gid)?,
            })
        }
    }
}

fn parse_time(text: &str) -> Result<Time, String> {
    match text {
        "keep" => Ok(Time::Keep),
        epoch => epoch
            .parse()
            .map(Time::Set)
            .map_err(|_| "not 'keep' or seconds since 1970 (at most 4294967295)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_two_from_4k_to_1m() {
        assert_eq!(parse_size("64K"), Ok(65536));
        assert_eq!(parse_size("1M"), Ok(1 << 20));
        assert_eq!(parse_size("4096"), Ok(4096));
        for wrong in ["", "K", "2K", "2M", "65537", "48K", "4096M", "-4K", "64 K"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn owners_are_words_or_two_numbers() {
        assert_eq!(parse_owner("7:8"), Ok(Owner::Set { uid: 7, gid: 8 }));
        for wrong in ["", "7", "7:", "a:b", "7:8:9", "-1:0"] {
            assert!(parse_owner(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
