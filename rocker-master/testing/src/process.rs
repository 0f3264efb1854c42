//! What `/proc` says of a process, and signals.

use std::collections::BTreeMap;
use std::fs;
use std::io::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A line of `/proc/PID/status`, its words separated by one space.
pub fn status_of(pid: i32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let line = line.unwrap_or_else(|| panic!("no {field} in {status}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Is this process there, even as a zombie?
pub fn is_there(pid: i32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap()
}

/// The descriptors of a process, and what they are. The one that lists them is left out.
pub fn descriptors_of(pid: i32) -> BTreeMap<i32, String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let numbers = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    numbers
        .filter_map(|number| {
            let target = fs::read_link(format!("/proc/{pid}/fd/{number}")).ok()?;
            Some((number.parse().unwrap(), target.display().to_string()))
        })
        .filter(|(_, target)| !(target.starts_with("/proc/") && target.ends_with("/fd")))
        .collect()
}

/// The children of a process with one thread.
pub fn children_of(pid: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    children
        .split_whitespace()
        .map(|child| child.parse().unwrap())
        .collect()
}

/// What a process is called, if it is there.
pub fn name_of(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// A guard that waits for its launch, in the view of this case: PID 1 of a pid namespace, without a guard's name as yet.
pub struct Spare {
    /// It has ended, and so has its master before it: it is the case's to reap.
    pub is_over: bool,
}

impl Spare {
    /// `None`: the process is none, or there is no process.
    pub fn of(pid: i32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim())
        };
        let waits = field("NSpid:")?.ends_with("\t1") && !field("Name:")?.starts_with("rk");
        waits.then_some(Self {
            is_over: field("State:")?.starts_with('Z') && field("PPid:") == Some("1"),
        })
    }
}

/// Sends a signal.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: integers only; the case's pid namespace holds nothing but what the case started.
    let done = unsafe { libc::kill(pid, signal) };
    assert_eq!(done, 0, "kill {pid}: {}", Error::last_os_error());
}

/// Leaves a process (0: the caller's) no more than this many descriptors, nor the right to more.
pub fn limit_descriptors(pid: i32, most: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: one structure is read, none is written.
    let done = unsafe {
        let none = std::ptr::null_mut();
        libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, none)
    };
    assert_eq!(done, 0, "prlimit {pid}: {}", Error::last_os_error());
}

/// Runs `work` in a fork of the case, which waits for it. Gives the exit status; a panic is status 101.
pub fn in_fork(work: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the case has one thread when it calls this, so the child may do what it likes.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork: {}", Error::last_os_error());
    if child == 0 {
        let status = catch_unwind(AssertUnwindSafe(work)).unwrap_or(101);
        // SAFETY: ends this fork without running what the case has registered.
        unsafe { libc::_exit(status) };
    }
    crate::wait_for(child)
}

/// Runs `work` as [`in_fork`] does, as this user.
pub fn as_user(id: u32, work: impl FnOnce() -> i32) -> i32 {
    in_fork(|| {
        become_user(id);
        work()
    })
}

/// Takes this uid and gid, and leaves all groups.
pub fn become_user(id: u32) {
    // SAFETY: no group is read from the null list, as the count is 0.
    assert_eq!(unsafe { libc::setgroups(0, std::ptr::null()) }, 0);
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::setgid(id) }, 0);
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::setuid(id) }, 0);
}
