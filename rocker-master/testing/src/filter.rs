//! A kernel that answers some calls with an error: a seccomp filter (`seccomp(2)`), inherited by all that is made later.

use libc::{c_long, sock_filter, sock_fprog};
use std::io::Error;

/// One call, or only those with this value in the low half of this argument, gets an error.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// `libc::SYS_*`
    pub call: c_long,
    /// Number of the argument, and its value.
    pub argument: Option<(u32, u32)>,
    /// What the call says.
    pub errno: i32,
}

impl Refusal {
    /// Whatever the arguments are.
    pub const fn of(call: c_long, errno: i32) -> Self {
        Self {
            call,
            argument: None,
            errno,
        }
    }
}

/// `LOOP_CONFIGURE` of `linux/loop.h`, which libc has not got.
const LOOP_CONFIGURE: u32 = 0x4c0a;

/// setns by pidfd, which Linux 5.8 brought. It cannot be told by the call's number, but by its flags: nothing enters two
/// kinds of namespaces at once but by pidfd. The first is the master's question, the second what a client does.
pub const SETNS_BY_PIDFD: [Refusal; 3] = [
    setns_of(libc::CLONE_NEWIPC | libc::CLONE_NEWUTS),
    setns_of(ALL_NAMESPACES),
    setns_of(ALL_NAMESPACES | libc::CLONE_NEWNET),
];

/// What a client enters by pidfd, where the network is the host's.
pub const ALL_NAMESPACES: i32 = libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUSER;

const fn setns_of(kinds: i32) -> Refusal {
    Refusal {
        call: libc::SYS_setns,
        argument: Some((1, kinds.cast_unsigned())),
        errno: libc::EINVAL,
    }
}

/// The calls that Linux 4.9 has not got and Rocker uses.
const NEWER: [Refusal; 14] = [
    Refusal::of(libc::SYS_clone3, libc::ENOSYS),
    Refusal::of(libc::SYS_openat2, libc::ENOSYS),
    Refusal::of(libc::SYS_open_tree, libc::ENOSYS),
    Refusal::of(libc::SYS_move_mount, libc::ENOSYS),
    Refusal::of(libc::SYS_pidfd_open, libc::ENOSYS),
    Refusal::of(libc::SYS_pidfd_send_signal, libc::ENOSYS),
    Refusal::of(libc::SYS_pidfd_getfd, libc::ENOSYS),
    Refusal::of(libc::SYS_close_range, libc::ENOSYS),
    Refusal::of(libc::SYS_mount_setattr, libc::ENOSYS),
    Refusal::of(libc::SYS_faccessat2, libc::ENOSYS),
    Refusal {
        call: libc::SYS_ioctl,
        argument: Some((1, LOOP_CONFIGURE)),
        errno: libc::EINVAL,
    },
    SETNS_BY_PIDFD[0],
    SETNS_BY_PIDFD[1],
    SETNS_BY_PIDFD[2],
];

/// From now on this process and its children run on an old kernel.
pub(crate) fn become_old_kernel() {
    refuse_calls(&NEWER);
}

/// Has the kernel, as this process sees it, pidfds (5.3)?
pub fn has_pidfds() -> bool {
    let me = std::process::id();
    // SAFETY: integers only: a descriptor of this process, closed on exec.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, me, 0) } as i32;
    // SAFETY: made just now, and nobody else's. -1 closes nothing.
    unsafe { libc::close(pidfd) };
    pidfd >= 0
}

/// From now on these calls fail, in this process and its children.
pub fn refuse_calls(refusals: &[Refusal]) {
    let mut program = Vec::new();
    for refusal in refusals {
        program.extend(rule(refusal));
    }
    program.push(statement(libc::BPF_RET, libc::SECCOMP_RET_ALLOW));
    let filter = sock_fprog {
        len: program.len().try_into().unwrap(),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the kernel copies the program that the structure points to.
    let done = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const filter,
        )
    };
    assert_eq!(done, 0, "seccomp: {}", Error::last_os_error());
}

/// Offsets in `struct seccomp_data`: the number, then architecture and instruction pointer, then six arguments.
const NUMBER: u32 = 0;
const ARGUMENTS: u32 = 16;

fn rule(refusal: &Refusal) -> Vec<sock_filter> {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let answer = statement(
        libc::BPF_RET,
        libc::SECCOMP_RET_ERRNO | refusal.errno.cast_unsigned(),
    );
    let number = u32::try_from(refusal.call).unwrap();
    let mut rule = vec![statement(load, NUMBER)];
    match refusal.argument {
        None => rule.push(skip_unless(number, 1)),
        Some((argument, value)) => {
            let low_half =
                ARGUMENTS + 8 * argument + if cfg!(target_endian = "big") { 4 } else { 0 };
            rule.push(skip_unless(number, 3));
            rule.push(statement(load, low_half));
            rule.push(skip_unless(value, 1));
        }
    }
    rule.push(answer);
    rule
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter {
        code: code.try_into().unwrap(),
        jt: 0,
        jf: 0,
        k,
    }
}

fn skip_unless(value: u32, count: u8) -> sock_filter {
    sock_filter {
        jf: count,
        ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value)
    }
}

/// The errno of a system call, 0 if it is let through.
#[macro_export]
macro_rules! errno {
    ($call:ident $(, $argument:expr)*) => {{
        // SAFETY: integers, and null pointers for what these calls read or write.
        let value = unsafe { libc::syscall(libc::$call $(, $argument as libc::c_long)*) };
        if value == -1 { std::io::Error::last_os_error().raw_os_error().unwrap() } else { 0 }
    }};
}
