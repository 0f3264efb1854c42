//! The master without what can be left out: it launches, and says of all the rest that it has not got it.

use rocker_client::{Failure, Request, Seccomp, Stage};
use rocker_proto::ExecRequest;
use rocker_testing::{
    Case, Master, Peer, Refusal, SOCKET, SOON, Sandbox, Traces, as_user, eventually, launch,
    make_dir, mount, refuse_calls, request, run_cases_on_this_kernel, small_master, wait_for,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    run_cases_on_this_kernel(CASES)
}

const CASES: &[Case] = &[
    ("apps_start_with_a_filter", apps_start_with_a_filter),
    (
        "a_filter_from_a_file_is_refused",
        a_filter_from_a_file_is_refused,
    ),
    ("nobody_enters_later", nobody_enters_later),
    ("root_alone_may_ask", root_alone_may_ask),
    (
        "a_policy_that_is_there_is_not_passed_over",
        a_policy_that_is_there,
    ),
    (
        "options_that_are_left_out_are_unknown",
        options_that_are_left_out,
    ),
    ("a_kernel_without_clone3_is_refused", || {
        a_kernel_without(libc::SYS_clone3, Stage::CLONE);
    }),
    ("a_kernel_without_pidfd_open_is_refused", || {
        a_kernel_without(libc::SYS_pidfd_open, Stage::NAMESPACES);
    }),
    ("a_kernel_without_close_range_is_refused", || {
        a_kernel_without(libc::SYS_close_range, Stage::GUARD);
    }),
    ("a_kernel_without_mount_setattr_is_refused", || {
        a_kernel_without(libc::SYS_mount_setattr, Stage::HARDEN_PROC);
    }),
];

fn start() -> Master {
    let mut command = Command::new(small_master());
    command.args(["--cache-idle", "0"]);
    Master::start_command(command)
}

fn apps_start_with_a_filter() {
    let _master = start();
    let launched = launch(&request(), &|| {
        assert!(Path::new("/run/exec/hello").exists());
        let status = fs::read_to_string("/proc/self/status").unwrap();
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
        7
    })
    .unwrap();
    assert_eq!(wait_for(launched.app_pid), 7);
}

fn a_filter_from_a_file_is_refused() {
    let master = start();
    fs::write("/run/app.policy", "read: 1\n").unwrap();
    let request = Request {
        seccomp: Seccomp::FILE,
        policy: c"/run/app.policy",
        ..request()
    };
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(
        failure,
        Failure::new(Stage::SECCOMP_POLICY, libc::EOPNOTSUPP)
    );
    let said = " stage=seccomp-policy path=\"/run/app.policy\" errno=EOPNOTSUPP";
    // The guard tells the master first, which writes when it gets to it.
    eventually("it is logged", SOON, || master.log().contains(said));
}

/// It does not know the question.
fn nobody_enters_later() {
    let _master = start();
    let sandbox = Sandbox::start(&request());
    let peer = Peer::connect().unwrap();
    let name = rocker_client::guard_name(sandbox.guard_pid()).unwrap();
    peer.send(&ExecRequest { name }.encode()).unwrap();
    let refusal = Failure::new(Stage::REQUEST, libc::EPROTO);
    assert_eq!(peer.refusal(SOON), Some(refusal));
    sandbox.end();
}

fn root_alone_may_ask() {
    let master = start();
    fs::set_permissions(SOCKET, PermissionsExt::from_mode(0o666)).unwrap();
    let status = as_user(1000, || {
        let peer = Peer::connect().unwrap();
        i32::from(peer.receive(SOON).is_empty())
    });
    assert_eq!(status, 0);
    let said = " uid=1000 stage=peer errno=EPERM";
    eventually("it is logged", SOON, || master.log().contains(said));
}

/// No older way is taken in the place of the call, and nothing is left of the launch but the store of its layers.
fn a_kernel_without(call: libc::c_long, stage: Stage) {
    refuse_calls(&[Refusal::of(call, libc::ENOSYS)]);
    let mut master = start();
    let left = || {
        let traces = Traces::now(Path::new("/run/data"));
        (traces.loop_devices(), traces.processes())
    };
    let before = left();
    let failure = launch(&request(), &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(stage, libc::ENOSYS));
    let said = format!(" stage={}", stage.name());
    eventually("it is logged", SOON, || {
        let log = master.log();
        log.contains(&said) && log.contains(" errno=ENOSYS")
    });
    eventually("nothing is left", SOON, || left() == before);
    assert!(master.is_alive());
}

/// Runs the master, which ends by itself: its status and what it said.
fn outcome(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(small_master())
        .args(arguments)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn a_policy_that_is_there() {
    make_dir("/run/etc", 0o755);
    mount("/run/etc", "/etc", "", libc::MS_BIND, "").unwrap();
    make_dir("/etc/rocker", 0o755);
    fs::write("/etc/rocker/rocker.conf", "").unwrap();
    let (status, said) = outcome(&[]);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("this build reads no /etc/rocker/rocker.conf"),
        "{said}"
    );
}

fn options_that_are_left_out() {
    for option in ["--config", "--check", "--require-signature", "--keys"] {
        let (status, said) = outcome(&[option, "/run/x"]);
        assert_eq!(status, Some(2), "{option}: {said}");
        assert!(
            said.contains(&format!("unknown or incomplete option \"{option}\"")),
            "{said}"
        );
        let help = Command::new(small_master()).arg("--help").output().unwrap();
        assert!(!String::from_utf8(help.stdout).unwrap().contains(option));
    }
}
