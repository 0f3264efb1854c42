//! `/proc` and `/sys` of a sandbox.

use rocker_testing::{
    Case, Master, MountLine, Refusal, ask, errno_of, mount, mount_at, mounts, refuse_calls,
    request, run_cases_on_both_kernels,
};
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("proc_shows_the_sandbox_alone", proc_shows_the_sandbox_alone),
    (
        "knobs_of_the_machine_are_read_only",
        knobs_of_the_machine_are_read_only,
    ),
    (
        "secrets_of_the_kernel_are_masked",
        secrets_of_the_kernel_are_masked,
    ),
    ("the_app_cannot_undo_it", the_app_cannot_undo_it),
    (
        "sys_is_read_only_with_all_below_it",
        sys_is_read_only_with_all_below_it,
    ),
    (
        "sys_is_read_only_without_mount_setattr",
        sys_is_read_only_without_mount_setattr,
    ),
    ("mounts_do_not_reach_the_host", mounts_do_not_reach_the_host),
];

fn proc_shows_the_sandbox_alone() {
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        let names = fs::read_dir("/proc")
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut pids: Vec<i32> = names
            .filter_map(|name| name.to_str()?.parse().ok())
            .collect();
        pids.sort_unstable();
        let me = std::process::id().cast_signed();
        let link = fs::read_link("/proc/self").unwrap();
        format!("{} {}", pids == [1, me], link == Path::new(&me.to_string()))
    });
    assert_eq!(seen, "true true");
}

fn knobs_of_the_machine_are_read_only() {
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        let points = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"];
        let there = points.into_iter().filter(|point| Path::new(point).exists());
        let bad = there.filter(|point| {
            !mount_at(point).is_some_and(|line| {
                ["ro", "nosuid", "nodev", "noexec"]
                    .iter()
                    .all(|option| line.has(option))
            })
        });
        let write = errno_of(
            OpenOptions::new()
                .write(true)
                .open("/proc/sys/kernel/hostname"),
        );
        format!("{:?} {write:?}", bad.collect::<Vec<_>>())
    });
    // The permission bits are looked at before the mount.
    assert_eq!(seen, format!("[] {:?}", Some(libc::EACCES)));
}

fn secrets_of_the_kernel_are_masked() {
    let files = ["/proc/kcore", "/proc/keys", "/proc/timer_list"];
    let there: Vec<_> = files
        .into_iter()
        .filter(|file| Path::new(file).exists())
        .collect();
    assert!(
        there.contains(&"/proc/keys"),
        "this kernel has none of them"
    );
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        let errors = there.iter().map(|file| {
            let line = mount_at(file);
            (
                errno_of(fs::read(file)),
                line.is_some_and(|line| line.has("ro")),
            )
        });
        format!("{:?}", errors.collect::<Vec<_>>())
    });
    assert_eq!(
        seen,
        format!("{:?}", vec![(Some(libc::EACCES), true); there.len()])
    );
}

fn the_app_cannot_undo_it() {
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        let remount = |point, flags| errno_of(mount("", point, "", flags, ""));
        let bind = libc::MS_REMOUNT | libc::MS_BIND;
        let point = c"/proc/keys".as_ptr();
        // SAFETY: the kernel only reads the path.
        let unmounted = unsafe { libc::umount2(point, libc::MNT_DETACH) };
        let errors = [
            remount("/proc/sys", bind),
            remount("/sys", bind),
            remount("/proc", libc::MS_REMOUNT),
            remount("/run/exec", bind),
            errno_of(mount("proc", "/run", "proc", 0, "")),
            errno_of(mount("tmpfs", "/run", "tmpfs", 0, "")),
            Some(if unmounted == 0 {
                0
            } else {
                std::io::Error::last_os_error().raw_os_error().unwrap()
            }),
        ];
        format!("{errors:?}")
    });
    assert_eq!(seen, format!("{:?}", [Some(libc::EPERM); 7]));
}

fn sys_is_read_only_with_all_below_it() {
    mount(
        "tmpfs",
        "/sys/fs/cgroup",
        "tmpfs",
        libc::MS_NOEXEC,
        "mode=777",
    )
    .unwrap();
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        // What another mount covers is out of reach, whatever its options are.
        let in_reach = |line: &MountLine| {
            let top = mount_at(OsStr::from_bytes(&line.point)).unwrap();
            line.point.starts_with(b"/sys") && line.id == top.id && line.is_in_reach()
        };
        let lines = mounts().into_iter().filter(in_reach);
        let (read_only, writable): (Vec<_>, Vec<_>) = lines.partition(|line| line.has("ro"));
        let error = errno_of(fs::write("/sys/fs/cgroup/new", "x"));
        let noexec = mount_at("/sys/fs/cgroup").unwrap().has("noexec");
        format!("{} {writable:?} {error:?} {noexec}", read_only.len() >= 2)
    });
    assert_eq!(seen, format!("true [] {:?} true", Some(libc::EROFS)));
    // The host's own stays writable.
    fs::write("/sys/fs/cgroup/new", "x").unwrap();
    assert!(!mount_at("/sys").unwrap().has("ro"));
}

fn sys_is_read_only_without_mount_setattr() {
    refuse_calls(&[Refusal::of(libc::SYS_mount_setattr, libc::ENOSYS)]);
    sys_is_read_only_with_all_below_it();
}

fn mounts_do_not_reach_the_host() {
    // What a host with systemd looks like: everything shared.
    mount("", "/", "", libc::MS_REC | libc::MS_SHARED, "").unwrap();
    let before: Vec<_> = mounts().into_iter().map(|line| line.point).collect();
    let _master = Master::start();
    let request = request();
    let sandbox = rocker_testing::Sandbox::start(&request);
    let during: Vec<_> = mounts().into_iter().map(|line| line.point).collect();
    assert_eq!(during, before);
    sandbox.end();
}
