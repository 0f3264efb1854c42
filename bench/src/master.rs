//! `Master`: the real rocker-master, in a mount namespace of its choice.

use std::path::Path;
use std::process::Command;

/// A master at the usual place, which only this world sees. It ends with the value.
pub struct Master(rocker_testing::Master);

impl Master {
    /// Starts the program of `$ROCKER_BIN_DIR`, or of cargo's profile for devices.
    pub fn start() -> Self {
        Self(rocker_testing::Master::start())
    }

    /// Starts the program of another directory.
    pub fn start_from(dir: &Path) -> Self {
        let program = dir.join("rocker-master");
        Self(rocker_testing::Master::start_by(|_| Command::new(program)))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.0.pid()
    }
}
