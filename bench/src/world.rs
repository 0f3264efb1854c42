//! `World`: where benches run, and what they run on.

use crate::cgroup::Cgroup;
use crate::{Launch, Packages, Way, app_master};
use rocker_client::Data;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::Error;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A pid namespace with private mounts, an empty `/run`, and a directory on the disk's file system below `target`.
#[derive(Debug)]
pub struct World {
    dir: PathBuf,
    /// The packages to launch.
    pub packages: Packages,
    /// A cgroup of version 2 to launch into, if the machine has any.
    pub cgroup: Option<PathBuf>,
}

impl World {
    /// Goes there: this returns in PID 1 of the new pid namespace, while the process that called waits outside and cleans
    /// up.
    ///
    /// `None` without root, after saying so; with `ROCKER_MUST_RUN=1` that is a failure. The first thing that `main` does.
    pub fn enter() -> Option<Self> {
        app_master::run_if_asked();
        // SAFETY: no argument, no effect.
        if unsafe { libc::geteuid() } != 0 {
            println!("SKIP: benches of launches need root");
            let must_run = std::env::var_os("ROCKER_MUST_RUN").is_some();
            assert!(!must_run, "ROCKER_MUST_RUN is set");
            return None;
        }
        let dir = target_dir().join("bench-scratch");
        let lock = File::create(target_dir().join("bench-scratch.lock")).expect("a lock file");
        // SAFETY: a descriptor of ours, which lives as long as the run.
        let locked = unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX) };
        assert_eq!(locked, 0, "flock: {}", Error::last_os_error());
        // An earlier run that was killed may have left it.
        fs::remove_dir_all(&dir).unwrap_or_default();
        fs::create_dir_all(&dir).expect("a directory");
        let cgroup = go_inside(&dir).then(|| PathBuf::from("/sys/fs/cgroup/launched"));
        if let Some(dir) = &cgroup {
            fs::create_dir(dir).expect("a cgroup");
        }
        for number in 0..16 {
            fs::create_dir_all(dir.join(format!("lower/{number}"))).expect("a directory");
        }
        fs::create_dir_all(dir.join("exec")).expect("a directory");
        let packages = Packages::make(&dir);
        Some(Self {
            dir,
            packages,
            cgroup,
        })
    }

    /// A directory on the disk's file system.
    pub fn disk(&self) -> &Path {
        &self.dir
    }

    /// The launch that the others are variants of: gzip in blocks of 128 KiB, and three overlays.
    pub fn launch(&self, name: &str) -> Launch {
        Launch {
            package: self.packages.squashfs("gzip"),
            fs_type: "squashfs",
            exec_dir: self.dir.join("exec"),
            data_dir: self.dir.join(name),
            overlays: self.overlays(3),
            ballast: 0,
            way: Way::Callback,
            data: Data::DISK,
            is_first_use: false,
            floor: Vec::new(),
        }
    }

    /// This many directories to be overlaid, at most sixteen.
    pub fn overlays(&self, count: usize) -> Vec<PathBuf> {
        (0..count)
            .map(|number| self.dir.join(format!("lower/{number}")))
            .collect()
    }

    /// Runs this in a second mount namespace with an empty `/run`, so that it can have a master and mounts of its own. What
    /// was started before stays in the first, to which this comes back.
    pub fn in_branch(&self, run: impl FnOnce()) {
        let first = File::open("/proc/self/ns/mnt").expect("a namespace");
        unshare(libc::CLONE_NEWNS);
        mount("none", "/", "", libc::MS_REC | libc::MS_PRIVATE);
        mount("tmpfs", "/run", "tmpfs", 0);
        run();
        // SAFETY: integers only; a descriptor of ours.
        let back = unsafe { libc::setns(first.as_raw_fd(), libc::CLONE_NEWNS) };
        assert_eq!(back, 0, "setns: {}", Error::last_os_error());
    }

    /// This many mounts that have nothing to do with any sandbox.
    pub fn mount_others(&self, count: usize) {
        for number in 0..count {
            let dir = format!("/run/mounts/{number}");
            fs::create_dir_all(&dir).expect("a directory");
            mount("/run", &dir, "", libc::MS_BIND);
        }
    }
}

/// Cargo's target directory: this executable lies in it, and cargo marks it.
fn target_dir() -> PathBuf {
    let this = std::env::current_exe().expect("its own path");
    let mut above = this.ancestors();
    let marked = above.find(|dir| dir.join("CACHEDIR.TAG").exists());
    marked.expect("run by cargo").to_owned()
}

/// Makes the namespaces. Comes back inside, and says whether there is a cgroup; outside, waits, cleans up and ends.
fn go_inside(dir: &Path) -> bool {
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD];
    // SAFETY: a set is integers, for which zero is a value.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    for signal in signals {
        // SAFETY: a set of ours.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    let mask = |how| {
        // SAFETY: a set of ours; the old mask is not asked for.
        unsafe { libc::sigprocmask(how, &raw const set, std::ptr::null_mut()) }
    };
    mask(libc::SIG_BLOCK);
    let cgroup = Cgroup::make();
    unshare(libc::CLONE_NEWPID);
    // SAFETY: the process has one thread, so the child may do what it likes.
    let child = unsafe { libc::fork() };
    if child == 0 {
        mask(libc::SIG_UNBLOCK);
        // SAFETY: integers only.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        furnish(cgroup.as_ref());
        return cgroup.is_some();
    }
    assert!(child > 0, "fork: {}", Error::last_os_error());
    let mut signal = 0;
    // SAFETY: both are ours.
    unsafe { libc::sigwait(&raw const set, &raw mut signal) };
    if signal != libc::SIGCHLD {
        // SAFETY: a child that has not been waited for. With it goes everything in its pid namespace.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
    let status = rocker_testing::wait_for(child);
    fs::remove_dir_all(dir).unwrap_or_default();
    cgroup.iter().for_each(Cgroup::remove);
    std::process::exit(status);
}

/// What the inside has of its own.
fn furnish(cgroup: Option<&Cgroup>) {
    cgroup.iter().for_each(|cgroup| cgroup.enter());
    unshare(libc::CLONE_NEWNS | cgroup.map_or(0, |_| libc::CLONE_NEWCGROUP));
    mount("none", "/", "", libc::MS_REC | libc::MS_PRIVATE);
    mount("proc", "/proc", "proc", 0);
    mount("tmpfs", "/run", "tmpfs", 0);
    cover_null();
    if cgroup.is_some() {
        // One and the same file system is not mounted twice over: where the machine's is there already, it has to go. Where
        // nothing is, this fails, as it may.
        // SAFETY: a string that outlives the call. The mounts are private.
        unsafe { libc::umount2(c"/sys/fs/cgroup".as_ptr(), libc::MNT_DETACH) };
        mount("none", "/sys/fs/cgroup", "cgroup2", 0);
    }
    // Ahead of whatever else runs on the machine, both sides alike: agents and master inherit it.
    // SAFETY: integers only.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
}

/// A `/dev/null` of our own over the machine's: some container runtimes (crun) give away what they find as their standard
/// input to the App's user, and nobody else on the machine could use it any more.
fn cover_null() {
    let path = CString::new("/run/null").expect("no NUL");
    // SAFETY: a path that outlives the call; the numbers are those of null(4).
    let made = unsafe { libc::mknod(path.as_ptr(), libc::S_IFCHR | 0o666, libc::makedev(1, 3)) };
    assert_eq!(made, 0, "mknod: {}", Error::last_os_error());
    fs::set_permissions("/run/null", PermissionsExt::from_mode(0o666)).expect("made just now");
    mount("/run/null", "/dev/null", "", libc::MS_BIND);
}

fn unshare(namespaces: i32) {
    // SAFETY: integers only.
    let done = unsafe { libc::unshare(namespaces) };
    assert_eq!(done, 0, "unshare: {}", Error::last_os_error());
}

fn mount(source: &str, target: &str, fs_type: &str, flags: libc::c_ulong) {
    let [source, path, fs_type] =
        [source, target, fs_type].map(|text| CString::new(text).expect("no NUL"));
    // SAFETY: three strings that outlive the call; null data is allowed for all of these.
    let done = unsafe {
        libc::mount(
            source.as_ptr(),
            path.as_ptr(),
            fs_type.as_ptr(),
            flags,
            std::ptr::null(),
        )
    };
    assert_eq!(done, 0, "mount at {target}: {}", Error::last_os_error());
}
