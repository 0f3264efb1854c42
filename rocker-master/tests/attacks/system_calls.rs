//! System calls that no App of a sandbox has any use for: those that the default filter refuses.

use crate::entry::Entry;
use crate::loot::{Intruder, loot_of, unfiltered};
use rocker_client::Request;
use rocker_testing::{Master, descriptors_of, in_fork, mount, mounts_of, request};
use std::fs;
use std::io::Error;

/// With the filter that a request gets if it says nothing, and without: does the attack succeed?
fn try_both(succeeds: impl Fn(&Request<'_>) -> bool) {
    let _master = Master::start();
    assert!(!succeeds(&request()));
    assert!(succeeds(&unfiltered()), "the control");
}

fn namespace_of(pid: i32, kind: &str) -> String {
    let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
    link.display().to_string()
}

/// A user namespace of one's own opens the kernel's least tried parts: CVE-2022-0185, CVE-2021-3493, CVE-2023-0386.
pub fn s16_namespace_in_the_sandbox() {
    try_both(|request| {
        let intruder = Intruder::send(request, Entry::Library, &|| {
            // SAFETY: integers only.
            unsafe { libc::unshare(libc::CLONE_NEWUSER) };
            Vec::new()
        });
        let [app, guard] =
            [intruder.app_pid, intruder.guard_pid].map(|pid| namespace_of(pid, "user"));
        intruder.end();
        app != guard
    });
}

/// Calls that give a descriptor, with arguments for which they do.
fn open_doors_of_the_kernel() {
    let mut parameters = [0u64; 32];
    // SAFETY: the kernel writes one `struct io_uring_params`, which is 120 bytes.
    unsafe { libc::syscall(libc::SYS_io_uring_setup, 4, parameters.as_mut_ptr()) };
    const UFFD_USER_MODE_ONLY: i32 = 1;
    // SAFETY: integers only.
    unsafe { libc::syscall(libc::SYS_userfaultfd, UFFD_USER_MODE_ONLY) };
}

pub fn s16_doors_of_the_kernel() {
    try_both(|request| {
        let intruder = Intruder::send(request, Entry::Library, &|| {
            open_doors_of_the_kernel();
            Vec::new()
        });
        let opened = descriptors_of(intruder.app_pid).into_values();
        let doors = ["[io_uring]", "[userfaultfd]"];
        let found = opened.filter(|target| doors.iter().any(|door| target.ends_with(door)));
        let found = found.count();
        intruder.end();
        found > 0
    });
}

/// CVE-2022-0492: a cgroup file system of one's own, and its `release_agent`.
pub fn s15_cgroup_file_system() {
    try_both(|request| {
        let intruder = Intruder::send(request, Entry::Library, &|| {
            let own = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWCGROUP;
            // SAFETY: integers only.
            unsafe { libc::unshare(own) };
            for kind in ["cgroup2", "cgroup"] {
                mount("cgroup", "/proc/self/attr", kind, 0, "").unwrap_or_default();
            }
            Vec::new()
        });
        let mounts = mounts_of(intruder.app_pid);
        intruder.end();
        mounts
            .iter()
            .any(|mount| mount.point.ends_with(b"/attr") && mount.has("rw"))
    });
}

/// Both ends of a terminal; the second is what programs have.
fn terminal() -> [i32; 2] {
    let mut ends = [-1; 2];
    let null = std::ptr::null_mut();
    // SAFETY: the kernel gives two descriptors; no name, no settings.
    let made = unsafe {
        libc::openpty(
            &raw mut ends[0],
            &raw mut ends[1],
            null,
            null.cast(),
            null.cast(),
        )
    };
    assert_eq!(made, 0, "openpty: {}", Error::last_os_error());
    ends
}

/// What came of it: how many bytes can be read there afterwards, and the errno of the last call.
const fn typed_and_errno(bytes: i32, errno: i32) -> i32 {
    bytes << 4 | errno
}

/// A terminal that the AppMaster leads, and an App that types into it.
fn typed(request: &Request<'_>, call: u64) -> i32 {
    let ends = terminal();
    in_fork(|| {
        // SAFETY: no argument.
        assert!(unsafe { libc::setsid() } > 0);
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::ioctl(ends[1], libc::TIOCSCTTY, 0) }, 0);
        let intruder = Intruder::send(request, Entry::Library, &|| {
            let mut errno = 0;
            for letter in b"reboot\n" {
                let place = std::ptr::from_ref(letter);
                // SAFETY: the kernel reads one byte.
                let done = unsafe { libc::syscall(libc::SYS_ioctl, ends[1], call, place) };
                errno = if done == 0 { 0 } else { last_errno() };
            }
            errno.to_ne_bytes().to_vec()
        });
        let errno = i32::from_ne_bytes(intruder.end().try_into().unwrap());
        let mut waiting = 0;
        // SAFETY: the kernel writes one int.
        let asked = unsafe { libc::ioctl(ends[1], libc::FIONREAD, &raw mut waiting) };
        assert_eq!(asked, 0);
        typed_and_errno(waiting, errno)
    })
}

fn last_errno() -> i32 {
    Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// CVE-2023-28100: what is on the screen of a virtual console is selected and pasted. Not every machine has one; what is
/// asked of another terminal comes as far as the terminal, which knows no such thing, if nobody refuses it before.
pub fn s07_pasting_into_the_console() {
    const TIOCLINUX: u64 = 0x541c;
    static TIOCL_PASTESEL: u8 = 3;
    let _master = Master::start();
    let [_screen, terminal] = terminal();
    for call in [TIOCLINUX, TIOCLINUX | 1 << 32, TIOCLINUX | 1 << 63] {
        let answer = |request: &Request<'_>| {
            let paste = || {
                // SAFETY: the kernel reads one byte.
                unsafe {
                    libc::syscall(libc::SYS_ioctl, terminal, call, &raw const TIOCL_PASTESEL)
                };
                last_errno().to_ne_bytes().to_vec()
            };
            loot_of(request, Entry::Library, &paste)
        };
        assert_eq!(answer(&request()), libc::EPERM.to_ne_bytes());
        let control = answer(&unfiltered());
        assert_eq!(control, libc::ENOTTY.to_ne_bytes(), "the control");
    }
}

/// CVE-2017-5226, and CVE-2019-10063: the same with bits that the kernel does not look at. From Linux 6.2 on the kernel
/// itself may refuse it, which it says otherwise.
pub fn s07_typing_into_the_terminal() {
    let calls = [libc::TIOCSTI, libc::TIOCSTI | 1 << 32];
    let kernel_refuses =
        fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").is_ok_and(|text| text.trim() == "0");
    let _master = Master::start();
    for call in calls {
        let refused = typed_and_errno(0, libc::EPERM);
        assert_eq!(typed(&request(), call), refused);
        let control = match kernel_refuses {
            true => typed_and_errno(0, libc::EIO),
            false => typed_and_errno(7, 0),
        };
        assert_eq!(typed(&unfiltered(), call), control, "the control");
    }
}
