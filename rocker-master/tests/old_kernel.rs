//! Kernels between the oldest and this one: each lacks some of the calls and has others.

use rocker_testing::{
    Case, Master, Refusal, SETNS_BY_PIDFD, Sandbox, Traces, ask, descriptors_of, eventually,
    has_pidfds, kill, launch, refuse_calls, request, run_cases_on_this_kernel, status_of, wait_for,
};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_this_kernel(CASES)
}

const CASES: &[Case] = &[
    ("linux_4_9", || serve_on((4, 9))),
    ("linux_5_1", || serve_on((5, 1))),
    ("linux_5_3", || serve_on((5, 3))),
    ("linux_5_6", || serve_on((5, 6))),
    ("linux_5_8", || serve_on((5, 8))),
    ("linux_5_9", || serve_on((5, 9))),
    ("linux_5_12", || serve_on((5, 12))),
    (
        "without_pidfds_none_is_handed_out",
        without_pidfds_none_is_handed_out,
    ),
    (
        "a_guard_without_pidfds_sees_every_end",
        a_guard_without_pidfds_sees_every_end,
    ),
    (
        "an_eperm_of_a_container_s_filter_is_survived",
        an_eperm_is_survived,
    ),
];

/// `LOOP_CONFIGURE` of `linux/loop.h`.
const LOOP_CONFIGURE: u32 = 0x4c0a;

/// Since when the kernel has what Rocker uses.
const SINCE: [((u32, u32), Refusal); 10] = [
    (
        (5, 1),
        Refusal::of(libc::SYS_pidfd_send_signal, libc::ENOSYS),
    ),
    ((5, 3), Refusal::of(libc::SYS_pidfd_open, libc::ENOSYS)),
    ((5, 3), Refusal::of(libc::SYS_clone3, libc::ENOSYS)),
    ((5, 6), Refusal::of(libc::SYS_openat2, libc::ENOSYS)),
    (
        (5, 8),
        Refusal {
            call: libc::SYS_ioctl,
            argument: Some((1, LOOP_CONFIGURE)),
            errno: libc::EINVAL,
        },
    ),
    ((5, 8), SETNS_BY_PIDFD[0]),
    ((5, 8), SETNS_BY_PIDFD[1]),
    ((5, 8), SETNS_BY_PIDFD[2]),
    ((5, 9), Refusal::of(libc::SYS_close_range, libc::ENOSYS)),
    ((5, 12), Refusal::of(libc::SYS_mount_setattr, libc::ENOSYS)),
];

/// A launch, what it leaves, and a kill, with what a kernel of this version has not got refused.
fn serve_on(version: (u32, u32)) {
    let missing = SINCE.iter().filter(|(since, _)| *since > version);
    let missing: Vec<_> = missing.map(|(_, refusal)| *refusal).collect();
    assert_eq!(missing.is_empty(), version >= (5, 12));
    refuse_calls(&missing);
    assert_eq!(has_pidfds(), version >= (5, 3));
    check_service();
}

fn check_service() {
    let mut master = Master::start();
    let request = request();
    let text = ask(&request, &|| {
        fs::write("/etc/new", "x").unwrap();
        fs::read_to_string("/run/exec/hello").unwrap()
    });
    assert_eq!(text, "hello from the package\n");
    let before = Traces::now(Path::new("/run/data"));
    let sandbox = Sandbox::start(&request);
    let during = Traces::now(Path::new("/run/data"));
    assert_eq!(during.loop_devices(), before.loop_devices() + 1);
    sandbox.end();
    let sandbox = Sandbox::start(&request);
    kill(sandbox.guard_pid(), libc::SIGKILL);
    assert_eq!(wait_for(sandbox.app_pid()), 128 + libc::SIGKILL);
    drop(sandbox);
    eventually("all is as before", Duration::from_secs(2), || {
        Traces::now(Path::new("/run/data")) == before
    });
    assert!(master.is_alive());
    assert_eq!(master.log(), "");
}

fn refuse_pidfds() {
    refuse_calls(
        &SINCE[..3]
            .iter()
            .map(|(_, refusal)| *refusal)
            .collect::<Vec<_>>(),
    );
}

fn without_pidfds_none_is_handed_out() {
    refuse_pidfds();
    let master = Master::start();
    let sandbox = Sandbox::start(&request());
    assert!(sandbox.launched.app_pidfd.is_none() && sandbox.launched.guard_pidfd.is_none());
    for pid in [master.pid(), sandbox.guard_pid()] {
        let held = descriptors_of(pid);
        assert!(
            !held.values().any(|target| target.contains("pidfd")),
            "{held:?}"
        );
    }
    sandbox.end();
}

/// An App that is not reaped, and one that is: the guard has nothing but its tick to see either.
fn a_guard_without_pidfds_sees_every_end() {
    refuse_pidfds();
    let _master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    let before = Traces::now(Path::new("/run/data"));
    let launched = launch(&request, &|| 0).unwrap();
    eventually("the App is a zombie", Duration::from_secs(1), || {
        status_of(launched.app_pid, "State").starts_with('Z')
    });
    assert_eq!(wait_for(launched.app_pid), 0);
    drop(launched);
    eventually("all is as before", Duration::from_secs(1), || {
        Traces::now(Path::new("/run/data")) == before
    });
}

/// Container engines answer EPERM to calls that their filters do not know yet.
fn an_eperm_is_survived() {
    refuse_calls(&[
        Refusal::of(libc::SYS_openat2, libc::EPERM),
        Refusal::of(libc::SYS_mount_setattr, libc::EPERM),
    ]);
    check_service();
}
