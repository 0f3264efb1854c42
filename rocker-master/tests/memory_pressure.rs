//! When memory runs short, packages that nobody uses are let go of, however long they were to stay, and so is the guard that
//! waits for a launch.

use rocker_client::{CacheRequest, DEFAULT_SOCKET, ask_cache};
use rocker_testing::{Case, Master, Sandbox, eventually, in_fork, request, run_cases};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    // What the machine cannot do is no failure: the master works as well without.
    if fs::read("/proc/pressure/memory").is_err() {
        println!("SKIP: this kernel does not tell of memory pressure (CONFIG_PSI)");
        return ExitCode::SUCCESS;
    }
    if Cgroup::parent().is_none() {
        println!("SKIP: no memory cgroup to make pressure in");
        return ExitCode::SUCCESS;
    }
    run_cases(CASES)
}

const CASES: &[Case] = &[(
    "idle_packages_go_when_memory_runs_short",
    idle_packages_go_when_memory_runs_short,
)];

/// Longer than the test.
const LONG: u32 = 1000;

fn packages() -> usize {
    let mut count = 0;
    ask_cache(DEFAULT_SOCKET, CacheRequest::List, |_| count += 1).unwrap();
    count
}

fn idle_packages_go_when_memory_runs_short() {
    let master = Master::start_heeding_memory(LONG);
    Sandbox::start(&request()).end();
    assert_eq!(packages(), 1);
    master.rest();
    let cgroup = Cgroup::make();
    // In a process of its own, which the cgroup holds down: the rest of the machine has memory enough.
    let status = in_fork(|| {
        cgroup.enter();
        let file = Scratch::make();
        (0..8).for_each(|_| file.read_again_and_again());
        eventually("it is gone", LIMIT, || packages() == 0);
        eventually("so is the next launch's guard", LIMIT, || {
            master.spare().is_none()
        });
        0
    });
    assert_eq!(status, 0);
}

const LIMIT: Duration = Duration::from_secs(30);

/// In bytes.
const MEMORY: u64 = 8 << 20;

/// What is read or written at once, in bytes.
const CHUNK: usize = 64 << 10;

/// Where the chunks of a file are that does not fit into that memory.
fn offsets() -> impl Iterator<Item = u64> + Clone {
    (0..MEMORY * 3 / 2).step_by(CHUNK)
}

/// That file.
struct Scratch(PathBuf);

impl Scratch {
    /// Its pages are its maker's.
    fn make() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("memory-pressure");
        let file = File::create(&path).unwrap();
        let chunk = [1; CHUNK];
        for offset in offsets() {
            file.write_all_at(&chunk, offset).unwrap();
        }
        // Only clean pages can be thrown away.
        file.sync_all().unwrap();
        Self(path)
    }

    /// In a thread that ends with the process. Whatever is read pushes out what will be read next.
    fn read_again_and_again(&self) {
        let file = File::open(&self.0).unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; CHUNK];
            for offset in offsets().cycle() {
                file.read_exact_at(&mut buffer, offset).unwrap();
            }
        });
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// A memory cgroup of version 1 or 2.
struct Cgroup(PathBuf);

impl Cgroup {
    /// Where one can be made, and the file with the limit.
    fn parent() -> Option<(&'static Path, &'static str)> {
        let parents = [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ];
        parents
            .map(|(dir, file)| (Path::new(dir), file))
            .into_iter()
            .find(|(dir, file)| {
                let controllers = fs::read_to_string(dir.join("cgroup.controllers"));
                dir.join(file).exists() || controllers.is_ok_and(|it| it.contains("memory"))
            })
    }

    fn make() -> Self {
        let (parent, limit) = Self::parent().unwrap();
        // Version 2 wants it to be handed down; version 1 has no such file.
        fs::write(parent.join("cgroup.subtree_control"), "+memory").unwrap_or_default();
        let this = Self(parent.join("rocker-memory-pressure"));
        // An earlier run that was killed may have left it.
        fs::remove_dir(&this.0).unwrap_or_default();
        fs::create_dir(&this.0).unwrap();
        fs::write(this.0.join(limit), MEMORY.to_string()).unwrap();
        this
    }

    /// Moves the calling process there.
    fn enter(&self) {
        fs::write(self.0.join("cgroup.procs"), "0").unwrap();
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The process that was in it has been waited for, but its last pages may still be on their way.
        eventually("nobody is in it", LIMIT, || fs::remove_dir(&self.0).is_ok());
    }
}
