//! Tests that mount: in a process and a mount namespace of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Tells the second process of a test that it is the second.
const INSIDE: &str = "ROCKER_PACK_TEST_INSIDE";

/// Runs `test` again, alone and in a private mount namespace; `true` says that this is that run and
/// the body is to be executed. What it mounts, and its loop devices, go with its last process,
/// however it ends.
pub fn enter(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !have_root(test) {
        return false;
    }
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{test} failed inside its namespace\n{out}\n{error}"
    );
    // A name that fits no test would run nothing and succeed.
    assert!(
        out.contains("1 passed"),
        "{test} did not run inside its namespace\n{out}\n{error}"
    );
    false
}

/// Whether the test may use root's privileges; a skip is said aloud, and fails where root is promised.
pub fn have_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIP {test}: needs root");
        let promised = std::env::var_os("ROCKER_MUST_RUN").is_some_and(|value| value == "1");
        assert!(!promised, "{test} was skipped although ROCKER_MUST_RUN=1");
    }
    root
}

/// A mounted package; unmounted, and its loop device freed, when dropped.
pub struct Mounted {
    directory: PathBuf,
}

impl Mounted {
    /// Mounts `package` on an empty directory beside it; the words of mount(8) if that fails.
    pub fn new(package: &Path) -> Result<Self, String> {
        let directory = package.with_extension("mounted");
        std::fs::create_dir_all(&directory).unwrap();
        // mount(8) takes a loop device with autoclear, and tries again when others are faster.
        let output = Command::new("mount")
            .args(["-t", "squashfs", "-o", "loop,ro"])
            .args([package, &directory])
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(Self { directory }),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// The root of the package.
    pub fn root(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let flags = rustix::mount::UnmountFlags::empty();
        if let Err(errno) = rustix::mount::unmount(&self.directory, flags) {
            eprintln!("cannot unmount {:?}: {errno}", self.directory); // the namespace will
        }
    }
}
