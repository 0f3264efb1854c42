//! `Master`: the real rocker-master, for one case.

use crate::files::mount;
use crate::pipe::pipe;
use crate::policy::SOON;
use crate::process::{children_of, kill, name_of, status_of};
use crate::sandbox::wait_for_master;
use crate::traces::eventually;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// The program of this name that `make` built: in `$ROCKER_BIN_DIR`, or where cargo puts the profile for devices.
pub fn binary(name: &str) -> PathBuf {
    existing(bin_dir().join(name))
}

/// The master that can be told to do without a defence (`--without`): in `$ROCKER_WEAK_BIN_DIR`, or where `make test` puts
/// it.
pub fn weakened_master() -> PathBuf {
    let dir = std::env::var_os("ROCKER_WEAK_BIN_DIR")
        .map_or_else(|| bin_dir().join("../weakened/tiny"), PathBuf::from);
    existing(dir.join("rocker-master"))
}

/// The master without what can be left out: in `$ROCKER_SMALL_BIN_DIR`, or where `make test` puts it.
pub fn small_master() -> PathBuf {
    let dir = std::env::var_os("ROCKER_SMALL_BIN_DIR")
        .map_or_else(|| bin_dir().join("../small/tiny"), PathBuf::from);
    existing(dir.join("rocker-master"))
}

fn bin_dir() -> PathBuf {
    std::env::var_os("ROCKER_BIN_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tiny"),
        PathBuf::from,
    )
}

fn existing(path: PathBuf) -> PathBuf {
    path.canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}: run `make` or `make test`", path.display()))
}

/// Where the kernel tells of memory that runs short.
const PRESSURE: &str = "/proc/pressure/memory";

/// Where a case's policy is.
pub const POLICY: &str = "/run/rocker.conf";

/// A master at `/run/rocker/master.sock`, which only this case sees. It ends with the value. It keeps no package for longer
/// than a sandbox uses it, so that what is left behind can be told from what is kept.
pub struct Master {
    child: Child,
    log: PathBuf,
    tracer: Option<Child>,
}

impl Master {
    /// Starts it and waits until it hears clients.
    pub fn start() -> Self {
        Self::start_heeding_memory(0)
    }

    /// One that keeps packages for so many seconds, even if something else on the machine takes all the memory.
    pub fn start_keeping_packages(seconds: u32) -> Self {
        // Nothing that could be waited for.
        std::fs::write("/run/calm", "").unwrap();
        let cover = mount("/run/calm", PRESSURE, "", libc::MS_BIND, "");
        // Where the kernel does not tell of it, there is nothing to cover.
        assert!(cover.is_ok() || !Path::new(PRESSURE).exists(), "{cover:?}");
        Self::start_heeding_memory(seconds)
    }

    /// One that keeps packages for so many seconds, or until memory runs short.
    pub fn start_heeding_memory(seconds: u32) -> Self {
        let seconds = seconds.to_string();
        let mut command = Command::new(binary("rocker-master"));
        command.args(["--cache-idle", &seconds]);
        Self::start_command(command)
    }

    /// One with this policy, in `/run/rocker.conf`.
    pub fn start_with_policy(text: &str) -> Self {
        std::fs::write(POLICY, text).unwrap();
        let mut command = Command::new(binary("rocker-master"));
        command.args(["--cache-idle", "0", "--config", POLICY]);
        Self::start_command(command)
    }

    /// Gives it another policy, and waits until it has read it. The lines that it logged for that.
    pub fn change_policy(&self, text: &str) -> String {
        let before = self.log().len();
        std::fs::write(POLICY, text).unwrap();
        kill(self.pid(), libc::SIGHUP);
        let said = || self.log().split_off(before);
        eventually("the policy is read", Duration::from_secs(2), || {
            said().contains(POLICY)
        });
        said()
    }

    /// One that does without this defence, which only the program of the attack suite can.
    pub fn start_without(defence: &str) -> Self {
        let mut command = Command::new(weakened_master());
        command.args(["--cache-idle", "0", "--without", defence]);
        Self::start_command(command)
    }

    /// Starts it by this command: the program, and the options of the case's choice.
    pub fn start_command(mut command: Command) -> Self {
        let log = PathBuf::from("/run/master.log");
        let (mut ready, theirs) = inherited_pipe();
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
        Self {
            child,
            log,
            tracer: None,
        }
    }

    /// One that strace watches, and the guards too, from when it serves: what it did to get there is not counted. `options`
    /// say what to trace and what to inject; the trace goes to `/run/trace`.
    pub fn start_traced(options: &[&str]) -> Self {
        Self::start().traced(options)
    }

    /// The same for one that runs already.
    pub fn traced(mut self, options: &[&str]) -> Self {
        self.trace(self.pid(), options);
        self
    }

    /// The same for this process alone, and those that it makes.
    pub fn trace(&mut self, pid: i32, options: &[&str]) {
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-qqq", "-o", "/run/trace"])
            .args(options);
        strace.args(["-p", &pid.to_string()]);
        self.tracer = Some(strace.spawn().unwrap());
        let has_tracer = || status_of(pid, "TracerPid") != "0";
        eventually("strace has it", Duration::from_secs(5), has_tracer);
    }

    /// Lets go of it: nothing is injected any more.
    pub fn end_trace(&mut self) {
        if let Some(mut tracer) = self.tracer.take() {
            // SAFETY: a child that has not been waited for.
            unsafe { libc::kill(tracer.id().cast_signed(), libc::SIGTERM) };
            // A case that reaps everything may have waited for it.
            let _ = tracer.wait();
        }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The guards that it has called, in the order in which they were made. One that waits for a launch is none.
    pub fn guards(&self) -> Vec<i32> {
        let is_called = |pid: &i32| name_of(*pid).is_some_and(|name| name.starts_with("rk"));
        children_of(self.pid())
            .into_iter()
            .filter(is_called)
            .collect()
    }

    /// The guard that waits for the next launch of root's, if there is one.
    pub fn spare(&self) -> Option<i32> {
        let mut children = children_of(self.pid()).into_iter();
        children.find(|child| name_of(*child).is_some_and(|name| name == "rocker-next"))
    }

    /// Waits until nobody is left of launches that are over, and the guard for root's next launch is there: it is made when
    /// there is time, and once more if the package was let go of since.
    pub fn rest(&self) {
        let waits_alone = || {
            self.spare()
                .filter(|spare| children_of(self.pid()) == [*spare])
        };
        eventually("one guard waits, and no other is there", SOON, || {
            let first = waits_alone();
            // What the master knows by now it has acted on then.
            wait_for_master();
            first.is_some() && waits_alone() == first
        });
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
        self.end_trace();
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
