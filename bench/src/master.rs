//! `Master`: the real rocker-master, in a mount namespace of its choice.

use std::path::Path;
use std::process::Command;

/// A master at the usual place, which only this world sees. It ends with the value.
pub struct Master(rocker_testing::Master);

impl Master {
    /// Starts the program of `$ROCKER_BIN_DIR`, or of cargo's profile for devices.
    pub fn start() -> Self {
        Self::start_by(&rocker_testing::binary("rocker-master"))
    }

    /// Starts the program of another directory.
    pub fn start_from(dir: &Path) -> Self {
        Self::start_by(&dir.join("rocker-master"))
    }

    /// As users start it, with the cache that it has then.
    fn start_by(program: &Path) -> Self {
        Self(rocker_testing::Master::start_command(Command::new(program)))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.0.pid()
    }
}
