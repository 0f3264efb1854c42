//! `Master`: the real rocker-master, in a mount namespace of its choice.

use std::path::Path;
use std::process::Command;

/// A master at the usual place, which only this world sees. It ends with the value.
pub struct Master(rocker_testing::Master);

impl Master {
    /// Starts the program of `$ROCKER_BIN_DIR`, or of cargo's profile for devices. Every launch is the first use of its
    /// package, unless a sandbox of it lives.
    pub fn start() -> Self {
        Self::start_by(
            &rocker_testing::binary("rocker-master"),
            &["--cache-idle", "0"],
        )
    }

    /// As users start it: a package that was used is used again.
    pub fn start_with_cache() -> Self {
        Self::start_by(&rocker_testing::binary("rocker-master"), &[])
    }

    /// Starts the program of another directory, as one of the above.
    pub fn start_from(dir: &Path, keeps_packages: bool) -> Self {
        let options: &[&str] = if keeps_packages {
            &[]
        } else {
            &["--cache-idle", "0"]
        };
        Self::start_by(&dir.join("rocker-master"), options)
    }

    fn start_by(program: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(options);
        Self(rocker_testing::Master::start_command(command))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.0.pid()
    }
}
