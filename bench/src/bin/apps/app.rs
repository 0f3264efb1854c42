//! `App`: a server that is measured.

use crate::site::{Kind, Site};
use crate::tree::Tree;
use std::path::Path;
use std::time::Duration;

/// What one load of a few seconds found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Answers per second.
    pub(crate) rate: f64,
    /// The time that all answers but one in a hundred took at most, in microseconds.
    pub(crate) p99: f64,
}

/// A server, and how load is driven against it.
pub(crate) trait App {
    /// What the command line and the table call it.
    fn name(&self) -> &'static str;

    /// What its package is called: Apps of one program share it.
    fn program(&self) -> &'static str {
        self.name()
    }

    /// A program that it needs and this machine has not got.
    fn missing(&self) -> Option<&'static str>;

    /// Puts program, libraries and content into a tree.
    fn collect(&self, tree: &Tree);

    /// Where it runs; the first is what the others are compared with.
    fn kinds(&self) -> Vec<Kind>;

    /// Makes what it needs before its first start there: configuration, a database.
    fn prepare(&self, site: &Site);

    /// Its command line, the program's name first.
    fn arguments(&self, site: &Site) -> Vec<String>;

    /// Is it there? One try.
    fn answers(&self, site: &Site) -> bool;

    /// What it is asked for, one after the other.
    fn loads(&self) -> &'static [&'static str];

    /// Drives one of them.
    fn drive(&self, load: usize, site: &Site, time: Duration) -> Reading;

    /// Comes before every start.
    fn tidy(&self, _site: &Site) {}

    /// What ends it without haste.
    fn end_signal(&self) -> i32 {
        libc::SIGTERM
    }
}

/// The first program that is not there.
pub(crate) fn first_missing(programs: &[&'static str]) -> Option<&'static str> {
    let mut programs = programs.iter().copied();
    programs.find(|program| !Path::new(program).exists())
}
