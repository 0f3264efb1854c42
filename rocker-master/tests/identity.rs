//! Who the App is, as the host sees it, and what it may not do.

use rocker_client::{Request, Seccomp};
use rocker_testing::{
    Case, Master, Sandbox, ask, become_user, errno_of, has_pidfds, in_fork, launch, pipe, request,
    run_cases_on_both_kernels, status_of, wait_for,
};
use std::fs::{self, File};
use std::io::{Error, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "the_app_is_the_user_it_was_given",
        the_app_is_the_user_it_was_given,
    ),
    ("the_app_has_no_privilege", the_app_has_no_privilege),
    (
        "groups_of_the_app_master_are_left",
        groups_of_the_app_master_are_left,
    ),
    (
        "ids_without_a_passwd_entry_work",
        ids_without_a_passwd_entry_work,
    ),
    ("the_largest_ids_work", the_largest_ids_work),
    ("maps_hold_one_id_each", maps_hold_one_id_each),
    (
        "the_app_cannot_become_anybody_else",
        the_app_cannot_become_anybody_else,
    ),
    (
        "what_the_app_writes_belongs_to_it_on_the_host",
        what_the_app_writes_belongs_to_it_on_the_host,
    ),
    (
        "the_app_cannot_touch_the_guard",
        the_app_cannot_touch_the_guard,
    ),
    (
        "the_app_cannot_kill_the_guard",
        the_app_cannot_kill_the_guard,
    ),
    (
        "an_app_s_copy_of_the_caller_is_closed",
        an_app_s_copy_of_the_caller_is_closed,
    ),
];

const NO_CAPABILITIES: &str = "0000000000000000";

fn assert_user(pid: i32, id: &str) {
    assert_eq!(status_of(pid, "Uid"), [id; 4].join(" "));
    assert_eq!(status_of(pid, "Gid"), [id; 4].join(" "));
}

fn assert_powerless(pid: i32) {
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status_of(pid, set), NO_CAPABILITIES, "{set}");
    }
    assert_eq!(status_of(pid, "NoNewPrivs"), "1");
    assert_eq!(status_of(pid, "Groups"), "");
}

fn the_app_is_the_user_it_was_given() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    assert_user(sandbox.app_pid(), "1000");
    sandbox.end();
}

fn the_app_has_no_privilege() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    assert_powerless(sandbox.app_pid());
    sandbox.end();
}

fn groups_of_the_app_master_are_left() {
    let groups: [libc::gid_t; 3] = [0, 4, 1000];
    // SAFETY: the kernel reads as many groups as the array has.
    assert_eq!(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }, 0);
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    assert_eq!(status_of(sandbox.app_pid(), "Groups"), "");
    assert_eq!(status_of(sandbox.guard_pid(), "Groups"), "");
    assert_eq!(status_of(1, "Groups"), "0 4 1000");
    sandbox.end();
}

fn ids_without_a_passwd_entry_work() {
    let _master = Master::start();
    let request = Request {
        uid: 23_456_789,
        gid: 23_456_789,
        ..request()
    };
    let sandbox = Sandbox::start(&request);
    assert_user(sandbox.app_pid(), "23456789");
    sandbox.end();
}

/// 2^32 - 1 means "leave it", so the largest is one less.
fn the_largest_ids_work() {
    let _master = Master::start();
    let request = Request {
        uid: u32::MAX - 1,
        gid: u32::MAX - 1,
        ..request()
    };
    let sandbox = Sandbox::start(&request);
    assert_user(sandbox.app_pid(), "4294967294");
    sandbox.end();
}

fn maps_hold_one_id_each() {
    let _master = Master::start();
    let request = Request {
        uid: 1001,
        gid: 1002,
        ..request()
    };
    let sandbox = Sandbox::start(&request);
    let read = |file: &str| {
        let text = fs::read_to_string(format!("/proc/{}/{file}", sandbox.app_pid())).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(read("uid_map"), "1001 1001 1");
    assert_eq!(read("gid_map"), "1002 1002 1");
    assert_eq!(read("setgroups"), "deny");
    sandbox.end();
}

fn the_app_cannot_become_anybody_else() {
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        let error = || Error::last_os_error().raw_os_error();
        // SAFETY: integers only.
        let uid = (unsafe { libc::setuid(0) }, error());
        // SAFETY: integers only.
        let gid = (unsafe { libc::setgid(0) }, error());
        // SAFETY: no group is read from the null list, as the count is 0.
        let groups = (unsafe { libc::setgroups(0, std::ptr::null()) }, error());
        // SAFETY: integers only.
        let namespace = (unsafe { libc::unshare(libc::CLONE_NEWNS) }, error());
        format!("{:?}", [uid, gid, groups, namespace])
    });
    let denied = |errno| (-1, Some(errno));
    let expected = [libc::EINVAL, libc::EINVAL, libc::EPERM, libc::EPERM].map(denied);
    let unmapped = [libc::EPERM; 4].map(denied);
    assert!(
        [format!("{expected:?}"), format!("{unmapped:?}")].contains(&seen),
        "{seen}"
    );
}

fn what_the_app_writes_belongs_to_it_on_the_host() {
    let _master = Master::start();
    let request = Request {
        uid: 1001,
        gid: 1002,
        ..request()
    };
    ask(&request, &|| {
        fs::write("/etc/app-s-own", "x").unwrap();
        String::new()
    });
    let file = fs::metadata("/run/data/.rocker/etc/upper/app-s-own").unwrap();
    assert_eq!((file.uid(), file.gid()), (1001, 1002));
    assert!(!fs::exists("/etc/app-s-own").unwrap());
}

fn the_app_cannot_touch_the_guard() {
    let _master = Master::start();
    // Without the filter, which would refuse before the kernel does.
    let request = Request {
        seccomp: Seccomp::OFF,
        ..request()
    };
    let seen = ask(&request, &|| {
        let error = || Error::last_os_error().raw_os_error();
        let null = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: attaching has no effect on this process.
        let traced = (unsafe { libc::ptrace(libc::PTRACE_SEIZE, 1, null, null) } == -1).then(error);
        // SAFETY: integers only.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, 1, 0) };
        // SAFETY: integers only.
        let stolen =
            (unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, 3, 0) } == -1).then(error);
        let errors = [
            traced.flatten(),
            stolen.flatten(),
            errno_of(File::open("/proc/1/mem")),
            errno_of(fs::read_dir("/proc/1/fd")),
            errno_of(fs::read_link("/proc/1/exe")),
            errno_of(fs::read_link("/proc/1/root")),
            errno_of(fs::read("/proc/1/environ")),
            errno_of(fs::read("/proc/1/maps")),
        ];
        format!("{pidfd} {errors:?}")
    });
    let (pidfd, errors) = seen.split_once(' ').unwrap();
    let (eperm, eacces) = (Some(libc::EPERM), Some(libc::EACCES));
    let stolen = if has_pidfds() {
        assert!(pidfd.parse::<i32>().unwrap() >= 0, "{seen}");
        eperm
    } else {
        Some(libc::ENOSYS)
    };
    let expected = [
        eperm, stolen, eacces, eacces, eacces, eacces, eacces, eacces,
    ];
    assert_eq!(errors, format!("{expected:?}"));
}

/// The guard has the App's uid, so kill(2) is allowed, but PID 1 of a pid namespace only gets from inside what it has a
/// handler for (`pid_namespaces(7)`).
fn the_app_cannot_kill_the_guard() {
    let _master = Master::start();
    let (mut answer, tell) = pipe();
    let launched = launch(&request(), &|| {
        for signal in 1..=64 {
            // SAFETY: integers only.
            unsafe { libc::kill(1, signal) };
        }
        (&tell).write_all(b"alive").unwrap();
        9
    });
    let launched = launched.unwrap();
    drop(tell);
    let mut text = String::new();
    answer.read_to_string(&mut text).unwrap();
    assert_eq!(text, "alive");
    assert_eq!(wait_for(launched.app_pid), 9);
}

/// Its memory is a copy of the AppMaster's, with all the secrets of that: others of the App's uid must not read it.
fn an_app_s_copy_of_the_caller_is_closed() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let app = sandbox.app_pid();
    let owner = fs::metadata(format!("/proc/{app}/mem")).unwrap();
    assert_eq!((owner.uid(), owner.gid()), (0, 0));
    let status = in_fork(|| {
        become_user(1000);
        errno_of(File::open(format!("/proc/{app}/mem"))).unwrap_or(0)
    });
    assert_eq!(status, libc::EACCES);
    sandbox.end();
}
