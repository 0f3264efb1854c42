//! `rocker check` on kernels that lack something.

mod support;

use rocker_testing::{Case, Refusal, refuse_calls, run_cases};
use std::process::ExitCode;
use support::{WORKS, check, line, outcome, rocker};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "an_old_kernel_is_slower_and_good_enough",
        an_old_kernel_is_slower_and_good_enough,
    ),
    (
        "without_user_namespaces_rocker_does_not_work",
        without_user_namespaces_rocker_does_not_work,
    ),
    (
        "without_pid_namespaces_rocker_does_not_work",
        without_pid_namespaces_rocker_does_not_work,
    ),
    (
        "without_any_namespace_rocker_does_not_work",
        without_any_namespace_rocker_does_not_work,
    ),
    (
        "without_loop_devices_rocker_does_not_work",
        without_loop_devices_rocker_does_not_work,
    ),
    (
        "without_mounts_rocker_does_not_work",
        without_mounts_rocker_does_not_work,
    ),
    (
        "without_proc_rocker_does_not_work",
        without_proc_rocker_does_not_work,
    ),
];

/// Of `linux/loop.h`, which libc has not got.
const LOOP_CONFIGURE: u32 = 0x4c0a;

const LOOP_CTL_GET_FREE: u32 = 0x4c82;

const DOES_NOT: &str = "Rocker does not work here: see what is MISSING above.";

/// `clone(2)` in this kernel refuses these namespaces. Its clone3 is refused too, whose flags a filter cannot see.
fn no_clone_with(flags: libc::c_int) {
    refuse_calls(&[
        Refusal::of(libc::SYS_clone3, libc::ENOSYS),
        Refusal {
            call: libc::SYS_clone,
            argument: Some((0, (flags | libc::SIGCHLD).cast_unsigned())),
            errno: libc::EINVAL,
        },
    ]);
}

fn an_old_kernel_is_slower_and_good_enough() {
    refuse_calls(&[
        Refusal::of(libc::SYS_clone3, libc::ENOSYS),
        Refusal::of(libc::SYS_openat2, libc::ENOSYS),
        Refusal::of(libc::SYS_mount_setattr, libc::ENOSYS),
        Refusal::of(libc::SYS_open_tree, libc::ENOSYS),
        Refusal {
            call: libc::SYS_ioctl,
            argument: Some((1, LOOP_CONFIGURE)),
            errno: libc::EINVAL,
        },
    ]);
    let (status, lines) = check();
    assert_eq!(
        (status, lines.last().unwrap().as_str()),
        (0, WORKS),
        "{lines:#?}"
    );
    for (feature, text) in [
        (
            "clone3 and pidfds (5.3)",
            "ENOSYS (sandboxes end up to 0.2 s late, and the guard looks five times a second)",
        ),
        (
            "openat2 (5.6)",
            "ENOSYS (paths are walked one component at a time)",
        ),
        (
            "LOOP_CONFIGURE (5.8)",
            "EINVAL (loop devices are set up in two steps)",
        ),
        (
            "open_tree (5.2)",
            "ENOSYS (each launch copies the package cache, and waits until its copy is gone)",
        ),
        (
            "mount_setattr (5.12)",
            "ENOSYS (/sys is made read-only one mount at a time)",
        ),
    ] {
        assert_eq!(line(&lines, feature), format!("without {feature}: {text}"));
    }
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("without "))
            .count(),
        5,
        "{lines:#?}"
    );
}

fn without_user_namespaces_rocker_does_not_work() {
    no_clone_with(libc::CLONE_NEWUSER);
    let (status, lines) = check();
    assert_eq!(
        (status, lines.last().unwrap().as_str()),
        (1, DOES_NOT),
        "{lines:#?}"
    );
    let why = "EINVAL (CONFIG_USER_NS, and /proc/sys/user/max_user_namespaces above 0)";
    assert_eq!(
        line(&lines, "user namespaces"),
        format!("MISSING user namespaces: {why}")
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("MISSING "))
            .count(),
        1,
        "{lines:#?}"
    );
}

fn without_pid_namespaces_rocker_does_not_work() {
    no_clone_with(libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS);
    let (status, lines) = check();
    assert_eq!(
        (status, lines.last().unwrap().as_str()),
        (1, DOES_NOT),
        "{lines:#?}"
    );
    let name = "mount, pid, ipc and uts namespaces";
    let why = "EINVAL (CONFIG_NAMESPACES, CONFIG_PID_NS, CONFIG_IPC_NS, CONFIG_UTS_NS)";
    assert_eq!(line(&lines, name), format!("MISSING {name}: {why}"));
}

fn without_any_namespace_rocker_does_not_work() {
    refuse_calls(&[Refusal::of(libc::SYS_unshare, libc::ENOSYS)]);
    let (status, lines) = check();
    assert_eq!(
        (status, lines.last().unwrap().as_str()),
        (1, DOES_NOT),
        "{lines:#?}"
    );
    assert_eq!(
        lines[1],
        "MISSING mount namespaces: ENOSYS (CONFIG_NAMESPACES; nothing else can be tried without them)"
    );
}

fn without_loop_devices_rocker_does_not_work() {
    refuse_calls(&[Refusal {
        call: libc::SYS_ioctl,
        argument: Some((1, LOOP_CTL_GET_FREE)),
        errno: libc::ENOSYS,
    }]);
    let (status, lines) = check();
    assert_eq!(
        (status, lines.last().unwrap().as_str()),
        (1, DOES_NOT),
        "{lines:#?}"
    );
    let why = "ENOSYS (CONFIG_BLK_DEV_LOOP and /dev/loopN, which devtmpfs makes)";
    assert_eq!(
        line(&lines, "loop devices"),
        format!("MISSING loop devices: {why}")
    );
    // What cannot be tried is not called missing.
    assert_eq!(
        line(&lines, "squashfs"),
        "unknown squashfs: it takes a loop device to try"
    );
    assert!(
        !lines.iter().any(|line| line.contains("CONFIG_SQUASHFS")),
        "{lines:#?}"
    );
}

fn without_mounts_rocker_does_not_work() {
    refuse_calls(&[Refusal::of(libc::SYS_mount, libc::EPERM)]);
    let (status, lines) = check();
    assert_eq!(
        (status, lines.last().unwrap().as_str()),
        (1, DOES_NOT),
        "{lines:#?}"
    );
    assert_eq!(
        lines[1],
        "MISSING private mounts: EPERM (something above this process forbids it: a container, a seccomp filter)"
    );
}

fn without_proc_rocker_does_not_work() {
    // SAFETY: a string that outlives the call; the mount is this case's own.
    let gone = unsafe { libc::umount2(c"/proc".as_ptr(), libc::MNT_DETACH) };
    assert_eq!(gone, 0);
    rocker_testing::mount_tmpfs("/proc", 0);
    let (status, stdout, _) = outcome(&mut rocker(&["check"]));
    assert_eq!(status, 1, "{stdout}");
    assert!(
        stdout.contains("MISSING /proc: ENOENT (mount -t proc proc /proc)\n"),
        "{stdout}"
    );
}
