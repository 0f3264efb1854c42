//! Somebody of the AppMaster's own uid, who will own the sandbox, tries to get into the processes that make it and guard it:
//! they hold what is root's.

use rocker_testing::{
    Case, as_user, errno_of, eventually, is_there, launch, run_cases_on_this_kernel,
    start_for_app_master, wait_for,
};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::process::ExitCode;
use std::ptr::null_mut;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_this_kernel(CASES)
}

const CASES: &[Case] = &[
    (
        "nobody_gets_into_a_guard_at_work",
        nobody_gets_into_a_guard_at_work,
    ),
    (
        "the_tracer_gets_into_what_is_its_own",
        the_tracer_gets_into_what_is_its_own,
    ),
];

const USER: u32 = 1000;
const LAUNCHES: usize = 500;

/// What may be read or taken of a process by who may look into it.
const FILES: [&str; 7] = ["mem", "exe", "root", "cwd", "fd/3", "ns/user", "ns/mnt"];

/// How it got into this process, if it did.
fn ways_into(pid: i32) -> Vec<String> {
    let mut ways = Vec::new();
    for file in FILES {
        let path = format!("/proc/{pid}/{file}");
        if File::open(&path).is_ok() || fs::read_link(&path).is_ok() {
            ways.push(file.to_owned());
        }
    }
    if traces(pid, libc::PTRACE_SEIZE) || traces(pid, libc::PTRACE_ATTACH) {
        ways.push("ptrace".to_owned());
    }
    if reads_memory(pid) {
        ways.push("process_vm_readv".to_owned());
    }
    if takes_a_descriptor(pid) {
        ways.push("pidfd_getfd".to_owned());
    }
    ways
}

fn traces(pid: i32, request: libc::c_uint) -> bool {
    let null = null_mut::<libc::c_void>();
    // SAFETY: attaching has no effect on this process's memory.
    let attached = unsafe { libc::ptrace(request, pid, null, null) } == 0;
    if attached {
        // SAFETY: as above.
        unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, null, null) };
    }
    attached
}

/// The kernel looks at the right to do it before it looks at the address.
fn reads_memory(pid: i32) -> bool {
    let mut byte = 0u8;
    let local = libc::iovec {
        iov_base: (&raw mut byte).cast(),
        iov_len: 1,
    };
    let remote = libc::iovec {
        iov_base: std::ptr::dangling_mut(),
        iov_len: 1,
    };
    // SAFETY: the kernel writes at most the one byte.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    read >= 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

fn takes_a_descriptor(pid: i32) -> bool {
    // SAFETY: integers only.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if pidfd < 0 {
        // It has ended.
        return false;
    }
    // The right to do it comes before the number, which need not be open there (EBADF).
    // SAFETY: integers only.
    let taken = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, 0, 0) };
    let errno = io::Error::last_os_error().raw_os_error();
    for fd in [taken, pidfd] {
        // SAFETY: made above, or -1.
        unsafe { libc::syscall(libc::SYS_close, fd) };
    }
    taken >= 0 || errno == Some(libc::EBADF)
}

/// The children of the master, as anybody sees them.
fn guards(master: i32) -> Vec<i32> {
    let mut guards = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Ok(stat) = fs::read_to_string(format!("/proc/{name}/stat")) else {
            continue;
        };
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1));
        if parent == Some(&master.to_string()) {
            guards.extend(name.parse::<i32>());
        }
    }
    guards
}

/// Tries everything on every child of the master until the file is there; gives how many it has tried, and panics if it got
/// into one.
fn trace_until(end: &str, master: i32) -> usize {
    let mut tried = BTreeSet::new();
    while errno_of(fs::metadata(end)) == Some(libc::ENOENT) {
        for guard in guards(master) {
            let ways = ways_into(guard);
            assert!(ways.is_empty(), "{guard}: {ways:?}");
            tried.insert(guard);
        }
    }
    tried.len()
}

fn nobody_gets_into_a_guard_at_work() {
    let (master, request) = start_for_app_master("2000");
    // SAFETY: the case has one thread.
    let tracer = unsafe { libc::fork() };
    assert!(tracer >= 0);
    if tracer == 0 {
        let status = as_user(USER, || {
            // At least one of the two processes of a launch, as a rule.
            i32::from(trace_until("/run/done", master.pid()) < LAUNCHES)
        });
        // SAFETY: ends this fork without running what the case has registered.
        unsafe { libc::_exit(status) };
    }
    let status = as_user(USER, || {
        for _ in 0..LAUNCHES {
            let launched = launch(&request, &|| 0).unwrap();
            assert_eq!(wait_for(launched.app_pid), 0);
            eventually("the guard has ended", Duration::from_secs(5), || {
                !is_there(launched.guard_pid)
            });
        }
        0
    });
    fs::write("/run/done", "").unwrap();
    assert_eq!(status, 0);
    assert_eq!(wait_for(tracer), 0, "it got in, or tried too little");
}

/// The control: what it tries works where it may.
fn the_tracer_gets_into_what_is_its_own() {
    let status = as_user(USER, || {
        // SAFETY: the fork has one thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // A core dump may be made of an ordinary process, as after execve.
            // SAFETY: integers only.
            unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) };
            loop {
                // SAFETY: no argument.
                unsafe { libc::pause() };
            }
        }
        // SAFETY: integers only: so that the child can be looked into by its own uid.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) };
        eventually("the child is open", Duration::from_secs(2), || {
            fs::read_link(format!("/proc/{child}/exe")).is_ok()
        });
        let ways = ways_into(child);
        // SAFETY: integers only.
        unsafe { libc::kill(child, libc::SIGKILL) };
        for way in [
            "mem",
            "exe",
            "root",
            "ns/user",
            "ptrace",
            "process_vm_readv",
            "pidfd_getfd",
        ] {
            assert!(ways.iter().any(|it| it == way), "{way}: {ways:?}");
        }
        0
    });
    assert_eq!(status, 0);
}
