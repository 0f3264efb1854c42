//! `Config` of a build that reads no policy: root alone may ask, for everything, and owns what it gets.

use crate::log::Line;
use crate::options::{DEFAULT_CONFIG, Options};
use core::marker::PhantomData;
use rocker_proto::{Failure, Request};
use rocker_sys::fs;
use rocker_sys::socket::Credentials;

/// What is said of every peer.
pub(crate) struct Config<'a>(PhantomData<&'a ()>);

impl<'a> Config<'a> {
    /// # Errors
    /// The exit status: somebody counts on a policy.
    pub(crate) fn load(_: &Options<'a>) -> Result<Self, i32> {
        if fs::access(DEFAULT_CONFIG, 0).is_ok() {
            Line::new()
                .text("this build reads no ")
                .raw(DEFAULT_CONFIG.to_bytes())
                .print();
            return Err(1);
        }
        Ok(Self(PhantomData))
    }

    pub(crate) fn reload(&mut self) {}

    /// As where no policy says otherwise; whoever is not root is refused when it asks.
    pub(crate) fn socket(&self) -> (u32, u32) {
        (0, 0o660)
    }

    pub(crate) fn launches(&self, peer: &Credentials) -> Option<u32> {
        (peer.uid == 0).then_some(u32::MAX)
    }

    pub(crate) fn owner(_: &Credentials) -> u32 {
        0
    }

    pub(crate) fn requires_signature(&self, _: &Credentials) -> bool {
        false
    }

    pub(crate) fn admit(&self, _: &Credentials, _: u32, _: &Request<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
