//! `TrustTable` of a build that has no signatures.

use crate::options::Options;
use core::marker::PhantomData;
use rocker_guard::{PackageId, Trust};
use rocker_sys::{Errno, Result};

/// There is one only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generation;

/// Empty.
pub(crate) struct TrustTable<'a>(PhantomData<&'a ()>);

impl<'a> TrustTable<'a> {
    pub(crate) fn new(_: &Options<'a>) -> Self {
        Self(PhantomData)
    }

    /// # Errors
    /// `EOPNOTSUPP`: nothing can be told of a package.
    pub(crate) fn follow_keys(&mut self, required: bool) -> Result<()> {
        if required {
            Err(Errno::EOPNOTSUPP)
        } else {
            Ok(())
        }
    }

    pub(crate) fn forget_all(&mut self) {}

    pub(crate) fn view(&self, _: bool) -> Option<Trust<'_>> {
        None
    }

    pub(crate) fn generation(&self) -> Generation {
        Generation
    }

    pub(crate) fn remember(&mut self, _: PackageId, _: Generation) {}
}
