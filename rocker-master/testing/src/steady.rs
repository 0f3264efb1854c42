//! `Steady`: a master that nothing may shake.

use crate::app::{launch, request, wait_for};
use crate::master::Master;
use crate::process::descriptors_of;
use crate::sandbox::wait_for_master;
use crate::traces::eventually;
use std::time::Duration;

/// A master and how many descriptors it had, before a case tries something.
pub struct Steady {
    /// The master.
    pub master: Master,
    descriptors: usize,
}

impl Steady {
    /// One that has served once.
    pub fn start() -> Self {
        let mut steady = Self {
            master: Master::start(),
            descriptors: 0,
        };
        Self::launch();
        steady.master.rest();
        steady.descriptors = descriptors_of(steady.master.pid()).len();
        steady
    }

    /// A launch like any other.
    pub fn launch() {
        let launched = launch(&request(), &|| 42).unwrap();
        assert_eq!(wait_for(launched.app_pid), 42);
    }

    /// Waits until no guard is left.
    pub fn settle(&self) {
        eventually("no guard is left", Duration::from_secs(2), || {
            self.master.guards().is_empty()
        });
        wait_for_master();
    }

    /// Launches still work, and the master is there and holds no more descriptors than before.
    pub fn check(mut self) {
        Self::launch();
        let left = || descriptors_of(self.master.pid());
        let what = format!("descriptors are as before: {:?}", left());
        let are_as_before = || left().len() == self.descriptors;
        eventually(&what, Duration::from_secs(2), are_as_before);
        assert!(self.master.is_alive());
    }
}
