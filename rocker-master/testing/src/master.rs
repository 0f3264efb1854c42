//! `Master`: the real rocker-master, for one case.

use crate::peer::Peer;
use crate::pipe::pipe;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The program of this name that `make` built: in `$ROCKER_BIN_DIR`, or where cargo puts the profile for devices.
pub fn binary(name: &str) -> PathBuf {
    let dir = std::env::var_os("ROCKER_BIN_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tiny"),
        PathBuf::from,
    );
    let path = dir.join(name);
    path.canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}: run `make`", path.display()))
}

/// A master at `/run/rocker/master.sock`, which only this case sees. It ends with the value.
pub struct Master {
    child: Child,
    log: PathBuf,
}

impl Master {
    /// Starts it and waits until it hears clients.
    pub fn start() -> Self {
        Self::start_by(Command::new)
    }

    /// Starts it by a command that runs it, such as a tracer. `make` gets the program and returns the command before its
    /// options.
    pub fn start_by(make: impl FnOnce(PathBuf) -> Command) -> Self {
        let log = PathBuf::from("/run/master.log");
        let (mut ready, theirs) = inherited_pipe();
        let mut command = make(binary("rocker-master"));
        command
            .arg("--notify-fd")
            .arg(theirs.as_raw_fd().to_string());
        command.stderr(File::create(&log).unwrap());
        let child = command.spawn().unwrap();
        drop(theirs);
        let mut byte = [0; 1];
        let heard = ready.read(&mut byte).unwrap();
        assert_eq!(
            heard,
            1,
            "the master did not start: {}",
            std::fs::read_to_string(&log).unwrap()
        );
        Self { child, log }
    }

    /// Starts it under strace, which follows the guards too. `options` say what to trace and what to inject; the trace goes to
    /// `/run/trace`.
    pub fn start_traced(options: &[&str]) -> Self {
        Self::start_by(|master| {
            let mut strace = Command::new("strace");
            strace.args(["-D", "-f", "-qq", "-o", "/run/trace"]);
            strace.args(options).arg("--").arg(master);
            strace
        })
    }

    /// The process that serves: not the tracer.
    pub fn serving_pid(&self) -> i32 {
        Peer::connect().unwrap().peer_pid()
    }

    /// Its process id, or its tracer's.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Every line that it has logged. What a tracer says goes to the same place, and is left out.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap();
        let of_the_tracer = |line: &&str| line.starts_with("strace: ");
        let lines = text.split_inclusive('\n');
        lines.filter(|line| !of_the_tracer(line)).collect()
    }

    /// Is it still there?
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it with a signal, and waits for that.
    pub fn kill(&mut self, signal: i32) {
        // SAFETY: a child that has not been waited for.
        unsafe { libc::kill(self.pid(), signal) };
        self.child.wait().unwrap();
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if self.is_alive() {
            self.kill(libc::SIGTERM);
        }
    }
}

/// A pipe whose writing end is inherited.
fn inherited_pipe() -> (File, File) {
    let (reader, writer) = pipe();
    // SAFETY: integers only: the descriptor keeps no flag.
    let done = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFD, 0) };
    assert_eq!(done, 0);
    (reader, writer)
}
