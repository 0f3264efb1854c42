//! Failures of the new process on its way into the sandbox, and of the library's own plumbing.

use crate::compile::expect_success;
use crate::probe::{ALL, ENTER, Failed, PROGRAM, Probe, failed, fails};
use rocker_testing::{ALL_NAMESPACES, Master, SETNS_BY_PIDFD, Traces, eventually, refuse_calls};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SYS: i32 = 1;
const ENTER_ROCKER_FAILED: i32 = 8;
const APP_EXEC_FAILED: i32 = 9;

/// `deny=setns` of one kind of namespace only: the second argument of the call.
fn setns_of(kind: i32) -> String {
    format!("deny=setns:{}:1:{kind}", libc::EPERM)
}

pub fn pid_namespace_cannot_be_entered() {
    let expected = failed(ENTER_ROCKER_FAILED, 73, libc::EPERM, "join-pid: EPERM");
    fails(ALL, &[&setns_of(libc::CLONE_NEWPID)], &expected);
}

pub fn other_namespaces_cannot_be_entered() {
    let expected = failed(ENTER_ROCKER_FAILED, 77, libc::EPERM, "join[0]: EPERM");
    let expected = Failed {
        index: 0,
        ..expected
    };
    fails(ALL, &[&setns_of(ALL_NAMESPACES)], &expected);
}

/// As before 5.8, one by one.
pub fn one_of_the_other_namespaces_cannot_be_entered() {
    refuse_calls(&SETNS_BY_PIDFD);
    for (index, kind, text) in [
        (0, libc::CLONE_NEWNS, "join[0]: EPERM"),
        (1, libc::CLONE_NEWCGROUP, "join[1]: EPERM"),
        (2, libc::CLONE_NEWUTS, "join[2]: EPERM"),
        (3, libc::CLONE_NEWIPC, "join[3]: EPERM"),
        (4, libc::CLONE_NEWUSER, "join[4]: EPERM"),
    ] {
        let mut expected = failed(ENTER_ROCKER_FAILED, 77, libc::EPERM, text);
        expected.index = index;
        fails(ALL, &[&setns_of(kind)], &expected);
    }
}

pub fn guard_cannot_be_told() {
    let expected = failed(ENTER_ROCKER_FAILED, 75, libc::EPERM, "announce: EPERM");
    // The parent of a program opens a pidfd too, but only when the program runs.
    fails(ALL, &["deny=pidfd_open:1"], &expected);
}

pub fn groups_cannot_be_left() {
    fails(
        ALL,
        &["deny=setgroups:1"],
        &failed(ENTER_ROCKER_FAILED, 76, libc::EPERM, "groups: EPERM"),
    );
}

pub fn identity_cannot_be_taken() {
    let expected = failed(ENTER_ROCKER_FAILED, 78, libc::EPERM, "identity: EPERM");
    for change in [
        "deny=setresgid:1",
        "deny=setresuid:1",
        "deny=capset:1",
        "deny=prctl:1",
    ] {
        fails(ALL, &[change], &expected);
    }
}

pub fn root_directory_cannot_be_entered() {
    fails(
        ALL,
        &["deny=chdir:13"],
        &failed(ENTER_ROCKER_FAILED, 79, libc::EACCES, "chdir: EACCES"),
    );
}

/// The 0 stands for SIGSYS: the new process dies in the middle, without a word.
pub fn process_dies_on_its_way_in() {
    let expected = failed(
        ENTER_ROCKER_FAILED,
        77,
        libc::ECONNRESET,
        "join: ECONNRESET",
    );
    fails(ENTER, &["deny=setgroups:0"], &expected);
}

pub fn no_process_can_be_made() {
    fails(
        ALL,
        &["deny=clone:11"],
        &failed(APP_EXEC_FAILED, 74, libc::EAGAIN, "fork: EAGAIN"),
    );
}

pub fn program_is_not_there() {
    let expected = failed(APP_EXEC_FAILED, 80, libc::ENOENT, "exec: ENOENT");
    for path in ["path=/nowhere", "path=true", "path=/run/exec/nowhere"] {
        fails(PROGRAM, &[path], &expected);
    }
}

pub fn program_cannot_be_executed() {
    fails(
        PROGRAM,
        &["path=/run/exec/hello"],
        &failed(APP_EXEC_FAILED, 80, libc::EACCES, "exec: EACCES"),
    );
}

pub fn no_socket_pair_for_the_child_s_word() {
    fails(
        ENTER,
        &["deny=socketpair:23"],
        &failed(SYS, 72, libc::ENFILE, "plumbing: ENFILE"),
    );
}

pub fn signals_cannot_be_blocked() {
    fails(
        ALL,
        &["deny=rt_sigprocmask:1"],
        &failed(SYS, 72, libc::EPERM, "plumbing: EPERM"),
    );
}

/// The second setns of the parent leads back home. The child's own second would fail too, but its parent ends it first.
pub fn way_back_fails() {
    let _master = Master::start();
    let probe = Probe::new();
    for door in ALL {
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/run/trace", "-e", "trace=setns"]);
        command.args(["-e", "inject=setns:error=EPERM:when=2"]);
        command.arg(probe.path()).arg(door);
        let said = expect_success(&mut command);
        let parent_s = format!("{SYS} 72 {} -1 plumbing: EPERM\n", libc::EPERM);
        assert_eq!(said, parent_s, "{door}");
    }
}

/// Every failure above leaves the machine as it was; here they come one after the other.
pub fn failures_leave_nothing_behind() {
    let _master = Master::start();
    let probe = Probe::new();
    let changes = [
        setns_of(ALL_NAMESPACES),
        setns_of(libc::CLONE_NEWPID),
        "deny=setresuid:1".to_owned(),
        "deny=clone:11".to_owned(),
        "deny=pidfd_open:1".to_owned(),
    ];
    assert_eq!(probe.says("enter", &[]), "0 0");
    let data_dir = Path::new("/run/data");
    eventually(
        "only this process and the master",
        Duration::from_secs(2),
        || {
            let now = Traces::now(data_dir);
            now.processes() == 2 && now.loop_devices() == 0
        },
    );
    let before = Traces::now(data_dir);
    for door in ALL {
        for change in &changes {
            probe.says(door, &[change]);
        }
    }
    eventually("all is as before", Duration::from_secs(2), || {
        Traces::now(data_dir) == before
    });
}
