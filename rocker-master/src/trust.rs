//! `TrustTable`: which packages were found to be signed, so that they need not be read again.
//!
//! The guards verify ([`rocker_guard::Trust`]); this remembers what they found, for as long as the keys stay the same.

use crate::options::Options;
use core::ffi::CStr;
use rocker_guard::{PackageId, Trust};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH};
use rocker_sys::{Result, fs};

/// How many packages are remembered. What was verified first makes room, and is verified again when it is asked for.
const SLOTS: usize = 32;

/// How often the keys have changed. A guard that began before the last time has looked at keys that are no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generation(u32);

/// The table.
pub(crate) struct TrustTable<'a> {
    required: bool,
    keys: &'a CStr,
    /// The directory of keys as it was when the table was last empty.
    stamp: PackageId,
    generation: Generation,
    verified: [PackageId; SLOTS],
    /// Where the next one goes.
    next: usize,
}

impl<'a> TrustTable<'a> {
    /// Empty.
    pub(crate) fn new(options: &Options<'a>) -> Self {
        Self {
            required: options.require_signature,
            keys: options.keys,
            stamp: PackageId::default(),
            generation: Generation::default(),
            verified: [PackageId::default(); SLOTS],
            next: 0,
        }
    }

    /// Before a launch, whose package must be signed or need not. Forgets everything if the keys have
    /// changed: a file that comes, goes or is renamed changes its directory. One that is written to does not.
    ///
    /// # Errors
    /// None: a build without signatures has one.
    pub(crate) fn follow_keys(&mut self, required: bool) -> Result<()> {
        if !self.is_required(required) {
            return Ok(());
        }
        let dir = fs::open(self.keys, O_PATH | O_DIRECTORY);
        let stat = dir.and_then(|dir| fs::fstat(dir.raw()));
        let stamp = stat.map_or(PackageId::default(), |stat| PackageId::of(&stat));
        if stamp != self.stamp {
            self.forget_all();
            self.stamp = stamp;
        }
        Ok(())
    }

    /// What a guard gets to know that is cloned now.
    pub(crate) fn view(&self, required: bool) -> Option<Trust<'_>> {
        self.is_required(required).then_some(Trust {
            keys: self.keys,
            verified: &self.verified,
        })
    }

    /// Of every package, or of this one.
    fn is_required(&self, of_this: bool) -> bool {
        self.required || of_this
    }

    /// Of a guard that is cloned now.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// A guard of this generation has verified a package.
    pub(crate) fn remember(&mut self, package: PackageId, generation: Generation) {
        if generation != self.generation || self.verified.contains(&package) {
            return;
        }
        if let Some(slot) = self.verified.get_mut(self.next) {
            *slot = package;
        }
        self.next = self.next.wrapping_add(1) % SLOTS;
    }

    /// The keys are others.
    pub(crate) fn forget_all(&mut self) {
        self.generation = Generation(self.generation.0.wrapping_add(1));
        self.verified = [PackageId::default(); SLOTS];
    }
}
