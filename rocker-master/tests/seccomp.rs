//! What an App's filter does on this kernel: by callback and by program, of every kind.

use rocker_client::{Failure, Request, Seccomp, Stage};
use rocker_testing::{
    Case, Master, Refusal, Sandbox, ask, ask_shell, errno, launch, refuse_calls, request,
    run_cases, status_of, wait_for,
};
use std::io::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "each_class_of_calls_gets_its_errno",
        each_class_of_calls_gets_its_errno,
    ),
    ("strict_refuses_more", strict_refuses_more),
    ("off_is_no_filter", off_is_no_filter),
    (
        "a_filter_stays_through_exec_and_fork",
        a_filter_stays_through_exec_and_fork,
    ),
    (
        "terminals_cannot_be_typed_into",
        terminals_cannot_be_typed_into,
    ),
    (
        "programs_of_another_architecture_fail",
        programs_of_another_architecture_fail,
    ),
    (
        "a_filter_that_only_reports_lets_through",
        a_filter_that_only_reports_lets_through,
    ),
    (
        "a_kernel_without_filters_is_said",
        a_kernel_without_filters_is_said,
    ),
    (
        "a_kernel_that_cannot_report_is_said",
        a_kernel_that_cannot_report_is_said,
    ),
];

fn with(seccomp: Seccomp) -> Request<'static> {
    Request {
        seccomp,
        ..request()
    }
}

const NEWUSER: i32 = libc::CLONE_NEWUSER;

/// Arguments with which the kernel itself would say something else, where there are such.
fn probe() -> String {
    let errors = [
        errno!(SYS_mount, 0, 0, 0, 0, 0),
        errno!(SYS_umount2, 0, 0),
        errno!(SYS_pivot_root, 0, 0),
        errno!(SYS_fsopen, 0, 0),
        errno!(SYS_unshare, NEWUSER),
        errno!(SYS_setns, -1, 0),
        errno!(SYS_clone, NEWUSER | libc::SIGCHLD, 0, 0, 0, 0),
        errno!(SYS_init_module, 0, 0, 0),
        errno!(SYS_kexec_load, 0, 0, 0, 0),
        errno!(SYS_bpf, 0, 0, 0),
        errno!(SYS_perf_event_open, 0, 0, 0, 0, 0),
        errno!(SYS_keyctl, 0, 0, 0, 0, 0),
        errno!(SYS_io_uring_setup, 1, 0),
        errno!(SYS_userfaultfd, 0),
        errno!(SYS_ptrace, libc::PTRACE_TRACEME, 0, 0, 0),
        errno!(SYS_process_vm_readv, 0, 0, 0, 0, 0, 0),
        errno!(SYS_pidfd_getfd, -1, 0, 0),
        errno!(SYS_settimeofday, 0, 0),
        errno!(SYS_name_to_handle_at, -1, 0, 0, 0, 0),
        errno!(SYS_chroot, 0),
        errno!(SYS_kcmp, 1, 1, 0, 0, 0),
        errno!(SYS_personality, 0x0040_0000),
        errno!(SYS_clone3, 0, 0),
        errno!(SYS_socket, libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
        errno!(SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0),
    ];
    format!("{errors:?}")
}

fn refused() -> String {
    let mut errors = vec![libc::EPERM; 22];
    errors.extend([libc::ENOSYS, libc::EAFNOSUPPORT, libc::EAFNOSUPPORT]);
    format!("{errors:?}")
}

fn each_class_of_calls_gets_its_errno() {
    let _master = Master::start();
    assert_eq!(ask(&with(Seccomp::DEFAULT), &probe), refused());
    assert_eq!(ask(&with(Seccomp::STRICT), &probe), refused());
    // Without the filter the kernel says other things: what is refused above, the filter refuses.
    assert_ne!(ask(&with(Seccomp::OFF), &probe), refused());
}

fn strict_refuses_more() {
    let _master = Master::start();
    let probe = || {
        let name = c"x".as_ptr().expose_provenance();
        let errors = [
            errno!(SYS_memfd_create, name, 0),
            errno!(SYS_get_mempolicy, 0, 0, 0, 0, 0),
            errno!(SYS_vmsplice, -1, 0, 0, 0),
            errno!(SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0),
            errno!(SYS_socket, libc::AF_INET6, libc::SOCK_STREAM, 0),
        ];
        format!("{errors:?}")
    };
    let strict = [libc::EPERM, libc::EPERM, libc::EPERM, 0, 0];
    assert_eq!(ask(&with(Seccomp::STRICT), &probe), format!("{strict:?}"));
    let default = [0, 0, libc::EBADF, 0, 0];
    assert_eq!(ask(&with(Seccomp::DEFAULT), &probe), format!("{default:?}"));
}

fn modes(pid: i32) -> [String; 3] {
    ["Seccomp", "Seccomp_filters", "NoNewPrivs"].map(|field| status_of(pid, field))
}

fn off_is_no_filter() {
    let _master = Master::start();
    for (seccomp, expected) in [
        (Seccomp::OFF, ["0", "0", "1"]),
        (Seccomp::DEFAULT, ["2", "1", "1"]),
    ] {
        let sandbox = Sandbox::start(&with(seccomp));
        assert_eq!(modes(sandbox.app_pid()), expected);
        sandbox.end();
    }
}

fn a_filter_stays_through_exec_and_fork() {
    let _master = Master::start();
    let script = "(sh -c 'grep Seccomp: /proc/self/status | tr -d \"\\n\\t\"')";
    assert_eq!(ask_shell(&with(Seccomp::DEFAULT), script), "Seccomp:2");
    assert_eq!(ask_shell(&with(Seccomp::OFF), script), "Seccomp:0");
}

/// On a terminal that is really there, and its own: without the filter the byte arrives (or the kernel has switched the call
/// off, which is EIO).
fn terminals_cannot_be_typed_into() {
    let _master = Master::start();
    let probe = || {
        let byte = b"x".as_ptr().expose_provenance();
        // SAFETY: integers only; a descriptor of the App's own.
        let terminal = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY) };
        assert!(terminal >= 0, "{}", Error::last_os_error());
        let errors = [0, 1 << 32, 0xdead_beef << 32]
            .map(|high: i64| errno!(SYS_ioctl, terminal, high | 0x5412, byte));
        let others = errno!(SYS_ioctl, terminal, 0x541c, byte);
        format!("{errors:?} {others}")
    };
    let eperm = libc::EPERM;
    let refused = format!("{:?} {eperm}", [eperm; 3]);
    assert_eq!(ask(&with(Seccomp::DEFAULT), &probe), refused);
    assert_eq!(ask(&with(Seccomp::STRICT), &probe), refused);
}

/// `getpid` of i386: 20.
#[cfg(target_arch = "x86_64")]
fn programs_of_another_architecture_fail() {
    let _master = Master::start();
    let probe = || {
        let value: i32;
        // SAFETY: a call without arguments or effect.
        unsafe { std::arch::asm!("int 0x80", inlateout("eax") 20 => value, options(nostack)) };
        // SAFETY: a call without arguments or effect.
        let x32 = unsafe { libc::syscall(0x4000_0000 | libc::SYS_getpid) };
        format!(
            "{value} {x32} {}",
            Error::last_os_error().raw_os_error().unwrap()
        )
    };
    let enosys = libc::ENOSYS;
    assert_eq!(
        ask(&with(Seccomp::DEFAULT), &probe),
        format!("-{enosys} -1 {enosys}")
    );
}

#[cfg(not(target_arch = "x86_64"))]
fn programs_of_another_architecture_fail() {}

/// The report itself goes to the kernel's log, or to auditd.
fn a_filter_that_only_reports_lets_through() {
    let _master = Master::start();
    let probe = || errno!(SYS_personality, 0x0040_0000).to_string();
    assert_eq!(
        ask(&with(Seccomp::DEFAULT), &probe),
        libc::EPERM.to_string()
    );
    for seccomp in [Seccomp::DEFAULT, Seccomp::STRICT] {
        assert_eq!(ask(&with(seccomp.logged()), &probe), "0");
    }
}

fn fails_without(refusal: Refusal, seccomp: Seccomp, errno: i32) {
    let request = with(seccomp);
    refuse_calls(&[refusal]);
    let _master = Master::start();
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::SECCOMP, errno));
    let off = with(Seccomp::OFF);
    assert_eq!(wait_for(launch(&off, &|| 3).unwrap().app_pid), 3);
}

/// The first prctl that the guard makes for it, with which it only asks.
fn a_kernel_without_filters_is_said() {
    let refusal = Refusal {
        call: libc::SYS_prctl,
        argument: Some((0, libc::PR_SET_SECCOMP.cast_unsigned())),
        errno: libc::EINVAL,
    };
    fails_without(refusal, Seccomp::DEFAULT, libc::EINVAL);
}

fn a_kernel_that_cannot_report_is_said() {
    let refusal = Refusal {
        call: libc::SYS_seccomp,
        argument: Some((0, 2)),
        errno: libc::EINVAL,
    };
    fails_without(refusal, Seccomp::DEFAULT.logged(), libc::EOPNOTSUPP);
}
