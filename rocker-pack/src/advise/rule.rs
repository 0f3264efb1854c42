//! Which one to take: a rule that anybody can follow with the table in hand.
//!
//! Of the packages within all limits it takes the one that `--prefer` puts first: the smallest (flash), the one that
//! starts soonest from nothing in memory (speed), or the one that costs the least kernel memory (memory). Packages within 2
//! % of the first count as equal to it; of those the next figure decides: after flash the cold start, after the others
//! flash.
//!
//! If nothing is within all limits, as few as possible are given up, rather the first of [`LIMITS`] than the last, and
//! the choice says which.
//! Without measurements kernel memory is an estimate, the limits of time cannot be checked, and xz, which would fail
//! them anywhere, is not taken.

use std::time::Duration;

use crate::advise::candidate::Candidate;
use crate::advise::figures::Figures;
use crate::compression::Compression;
use crate::kernel_memory;

/// What counts most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Prefer {
    /// The smallest package.
    #[default]
    Flash,
    /// The shortest cold start.
    Speed,
    /// The least kernel memory per mount.
    Memory,
}

/// What the rule knows of a package.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// How it is packed.
    pub candidate: Candidate,
    /// The size of the package in bytes.
    pub bytes: u64,
    /// What was measured, if anything was.
    pub figures: Option<Figures>,
}

/// What the rule goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// What counts most.
    pub prefer: Prefer,
    /// The most kernel memory per mount, in bytes.
    pub memory_limit: u64,
    /// What the tree takes on a disk, in bytes.
    pub on_disk: u64,
    /// The unpacked tree, if it was measured.
    pub unpacked: Option<Figures>,
}

/// What to take, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How to pack.
    pub candidate: Candidate,
    /// The limits that had to be given up, in words.
    pub given_up: Vec<&'static str>,
}

type Holds = fn(&Trial, &Terms) -> bool;

/// The limits, the first to be given up first.
const LIMITS: [(&str, Holds); 4] = [
    ("reads cold no slower than the unpacked tree", reads_fast),
    (
        "starts cold within twice the unpacked tree's time",
        starts_fast,
    ),
    (
        "kernel memory per mount within the limit",
        is_small_in_memory,
    ),
    ("saves 60 % of the disk", saves_enough),
];

fn reads_fast(trial: &Trial, terms: &Terms) -> bool {
    compare(trial, terms, |trial, tree| {
        trial.cold_read >= tree.cold_read
    })
}

fn starts_fast(trial: &Trial, terms: &Terms) -> bool {
    compare(trial, terms, |trial, tree| {
        trial.cold_start <= tree.cold_start * 2
    })
}

fn is_small_in_memory(trial: &Trial, terms: &Terms) -> bool {
    memory(trial) <= terms.memory_limit
}

fn saves_enough(trial: &Trial, terms: &Terms) -> bool {
    trial.bytes * 10 <= terms.on_disk * 4
}

/// Where both were measured; else nothing speaks against it.
fn compare(trial: &Trial, terms: &Terms, holds: fn(&Figures, &Figures) -> bool) -> bool {
    match (&trial.figures, &terms.unpacked) {
        (Some(figures), Some(tree)) => holds(figures, tree),
        _ => true,
    }
}

/// Measured, or estimated.
fn memory(trial: &Trial) -> u64 {
    match (trial.figures, trial.candidate) {
        (Some(figures), _) => figures.kernel_memory,
        (
            None,
            Candidate::Squashfs {
                compression,
                block_size,
            },
        ) => kernel_memory::squashfs(compression, block_size),
        (None, Candidate::Erofs { .. }) => kernel_memory::EROFS,
    }
}

fn cold_start(trial: &Trial) -> Option<Duration> {
    trial.figures.map(|figures| figures.cold_start)
}

/// Whether the rule may take it at all: what was not measured while others were does not mount here.
fn is_known(trial: &Trial, terms: &Terms) -> bool {
    let is_xz = matches!(
        trial.candidate,
        Candidate::Squashfs {
            compression: Compression::Xz,
            ..
        }
    );
    match terms.unpacked {
        Some(_) => trial.figures.is_some(),
        None => !is_xz,
    }
}

/// Takes one; nothing if nothing could be packed, or nothing mounts.
pub fn recommend(trials: &[Trial], terms: &Terms) -> Option<Choice> {
    let known: Vec<&Trial> = trials
        .iter()
        .filter(|trial| is_known(trial, terms))
        .collect();
    waivers().find_map(|waived| {
        let kept = |number: &usize| waived & 1 << number == 0;
        let within = |trial: &&Trial| {
            let mut kept = (0..LIMITS.len()).filter(kept);
            kept.all(|number| LIMITS[number].1(trial, terms))
        };
        let within: Vec<&Trial> = known.iter().copied().filter(within).collect();
        let given_up = (0..LIMITS.len()).filter(|number| !kept(number));
        Some(Choice {
            candidate: first(&within, terms.prefer)?.candidate,
            given_up: given_up.map(|number| LIMITS[number].0).collect(),
        })
    })
}

/// Sets of limits to give up, as bits: none, each alone from the first to the last, each two, and so on.
fn waivers() -> impl Iterator<Item = u32> {
    let mut sets: Vec<u32> = (0..1 << LIMITS.len()).collect();
    sets.sort_by_key(|set| set.count_ones()); // stable: the first limits have the lowest bits
    sets.into_iter()
}

fn first<'a>(trials: &[&'a Trial], prefer: Prefer) -> Option<&'a Trial> {
    let flash = |trial: &Trial| trial.bytes;
    // Nobody's start was measured, or everybody's was; then they are all equal, and flash decides.
    let start = |trial: &Trial| cold_start(trial).unwrap_or_default().as_nanos() as u64;
    match prefer {
        Prefer::Flash => pick(trials, flash, start),
        Prefer::Speed => pick(trials, start, flash),
        Prefer::Memory => pick(trials, memory, flash),
    }
}

/// Of those within 2 % of the least in one figure, the least in another.
fn pick<'a>(
    trials: &[&'a Trial],
    figure: impl Fn(&Trial) -> u64,
    next: impl Fn(&Trial) -> u64,
) -> Option<&'a Trial> {
    let least = trials.iter().map(|trial| figure(trial)).min()?;
    let equal = trials
        .iter()
        .filter(|trial| figure(trial) <= least + least / 50);
    equal.copied().min_by_key(|trial| next(trial))
}

#[cfg(test)]
mod tests;
