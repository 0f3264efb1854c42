//! `rocker check`: what it says on this kernel and on lesser ones, and that it changes nothing.

mod support;

use rocker_testing::{
    Case, Master, Refusal, Traces, become_old_kernel, become_user, in_fork, refuse_calls, run_cases,
};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use support::{outcome, rocker, run};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("this_kernel_is_good_enough", this_kernel_is_good_enough),
    ("what_it_says_is_what_works", what_it_says_is_what_works),
    ("it_changes_nothing", it_changes_nothing),
    ("it_leaves_no_loop_device", it_leaves_no_loop_device),
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
    ("others_than_root_are_told_so", others_than_root_are_told_so),
    ("a_master_that_serves_is_seen", a_master_that_serves_is_seen),
];

const WORKS: &str = "Rocker works here.";
const DOES_NOT: &str = "Rocker does not work here: see what is MISSING above.";

/// Its exit status and lines; it must say nothing on standard error.
fn check() -> (i32, Vec<String>) {
    let (status, stdout, stderr) = outcome(&mut rocker(&["check"]));
    assert_eq!(stderr, "");
    (status, stdout.lines().map(str::to_owned).collect())
}

/// The line of one feature.
fn line<'a>(lines: &'a [String], feature: &str) -> &'a str {
    let named = |line: &&String| line.get(8..).is_some_and(|rest| rest.starts_with(feature));
    lines
        .iter()
        .find(named)
        .unwrap_or_else(|| panic!("no {feature} in {lines:#?}"))
}

fn this_kernel_is_good_enough() {
    let (status, lines) = check();
    assert_eq!(status, 0, "{lines:#?}");
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(
        lines.first().unwrap(),
        &format!("kernel  {}", release.trim())
    );
    assert_eq!(lines.last().unwrap(), WORKS);
    assert_eq!(outcome(&mut run(&["true"])).0, 0);
    let tags = ["kernel  ", "ok      ", "without ", "info    "];
    for line in &lines[..lines.len() - 1] {
        assert!(tags.iter().any(|tag| line.starts_with(tag)), "{line}");
    }
}

/// Each compression by a package that really is compressed that way.
fn what_it_says_is_what_works() {
    use rocker_pack::Compression;
    let (_, lines) = check();
    let tree = Path::new("/run/tree");
    fs::create_dir(tree).unwrap();
    fs::write(tree.join("file"), "text ".repeat(10_000)).unwrap();
    for (name, compression) in [
        ("squashfs, gzip", Compression::Gzip),
        ("squashfs, xz", Compression::Xz),
        ("squashfs, lz4", Compression::Lz4),
        ("squashfs, zstd", Compression::Zstd),
    ] {
        let package = format!("/run/{compression:?}.sqfs");
        rocker_testing::package_of(tree, Path::new(&package), |options| {
            options.compression = compression
        });
        let (status, stdout, _) = outcome(&mut rocker(&[
            "run",
            &package,
            "sh",
            "-c",
            "wc -c < $ROCKER_EXEC_DIR/file",
        ]));
        let works = (status, stdout.trim()) == (0, "50000");
        assert_eq!(line(&lines, name).starts_with("ok "), works, "{name}");
    }
}

fn it_changes_nothing() {
    let list = || fs::read_dir("/run").unwrap().count();
    let (before, names) = (Traces::now(Path::new("/run")), list());
    check();
    assert_eq!(Traces::now(Path::new("/run")), before);
    assert_eq!(list(), names);
}

fn it_leaves_no_loop_device() {
    // Its images have no path, so they are looked for by their name.
    let ours = || {
        fs::read_dir("/sys/block")
            .unwrap()
            .filter(|entry| {
                let file = entry.as_ref().unwrap().path().join("loop/backing_file");
                fs::read_to_string(file).is_ok_and(|name| name.contains("rocker-check"))
            })
            .count()
    };
    for _ in 0..5 {
        check();
        assert_eq!(ours(), 0);
    }
}

fn an_old_kernel_is_slower_and_good_enough() {
    become_old_kernel();
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
        4,
        "{lines:#?}"
    );
}

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
    const LOOP_CTL_GET_FREE: u32 = 0x4c82;
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
    let why =
        "ENOSYS (CONFIG_BLK_DEV_LOOP, /dev/loop-control and /dev/loopN (devtmpfs makes them))";
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
    assert_eq!(
        unsafe { libc::umount2(c"/proc".as_ptr(), libc::MNT_DETACH) },
        0
    );
    rocker_testing::mount_tmpfs("/proc", 0);
    let (status, stdout, _) = outcome(&mut rocker(&["check"]));
    assert_eq!(status, 1, "{stdout}");
    assert!(
        stdout.contains("MISSING /proc: ENOENT (mount -t proc proc /proc)\n"),
        "{stdout}"
    );
}

fn others_than_root_are_told_so() {
    fs::copy(rocker_testing::binary("rocker"), "/run/rocker").unwrap();
    let (mut reader, writer) = rocker_testing::pipe();
    let status = in_fork(|| {
        become_user(1000);
        let mut command = std::process::Command::new("/run/rocker");
        command
            .arg("check")
            .stdout(writer.try_clone().unwrap())
            .stderr(writer.try_clone().unwrap());
        command.status().unwrap().code().unwrap()
    });
    drop(writer);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut reader, &mut said).unwrap();
    assert_eq!(
        (status, said.as_str()),
        (
            125,
            "rocker: cannot check as this user: EPERM; run this as root\n"
        )
    );
}

fn a_master_that_serves_is_seen() {
    let none = "info    no master at /run/rocker/master.sock: ENOENT";
    assert!(check().1.iter().any(|line| line == none));
    let _master = Master::start();
    assert!(
        check()
            .1
            .iter()
            .any(|line| line == "info    a master serves at /run/rocker/master.sock")
    );
}
