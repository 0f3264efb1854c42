//! Process ids that mean somebody else by now.

use rocker_testing::{Master, eventually, is_there, kill, launch, request, wait_for};
use std::io::Error;
use std::mem::{size_of, zeroed};
use std::time::Duration;

const ROUNDS: usize = 200;
const SIGNALS: usize = 50;

/// A bystander with this very process id, as if the numbers had gone round (`clone3(2)`: `set_tid`). It waits to be killed.
fn bystander(pid: i32) -> i32 {
    // SAFETY: integers, for which zero is a value.
    let mut arguments: libc::clone_args = unsafe { zeroed() };
    arguments.exit_signal = libc::SIGCHLD.unsigned_abs().into();
    arguments.set_tid = (&raw const pid) as u64;
    arguments.set_tid_size = 1;
    let clone = || {
        // SAFETY: the kernel reads one structure; without CLONE_VM the child has its own copy of everything.
        unsafe {
            libc::syscall(
                libc::SYS_clone3,
                &raw const arguments,
                size_of::<libc::clone_args>(),
            )
        }
    };
    let mut child = clone();
    // `/proc` has forgotten a process a moment before its number is free.
    while child == -1 && Error::last_os_error().raw_os_error() == Some(libc::EEXIST) {
        child = clone();
    }
    if child == 0 {
        loop {
            // SAFETY: no argument.
            unsafe { libc::pause() };
        }
    }
    assert_eq!(child, i64::from(pid), "clone3: {}", Error::last_os_error());
    pid
}

/// A sandbox that is over, and a bystander with its guard's process id.
fn reused() -> (i32, rocker_client::Launched) {
    let launched = launch(&request(), &|| 0).unwrap();
    assert_eq!(wait_for(launched.app_pid), 0);
    eventually("the guard has ended", Duration::from_secs(2), || {
        !is_there(launched.guard_pid)
    });
    (bystander(launched.guard_pid), launched)
}

/// Whoever ends sandboxes by the pidfd that a launch gives hits nobody else. By number it is a matter of luck.
pub fn s19_reused_process_ids() {
    let _master = Master::start();
    for _ in 0..ROUNDS {
        let (bystander, launched) = reused();
        let pidfd = launched.guard_pidfd.as_ref().unwrap().raw();
        for _ in 0..SIGNALS {
            let null = std::ptr::null::<libc::siginfo_t>();
            // SAFETY: no information is read from the null pointer.
            let sent = unsafe {
                libc::syscall(libc::SYS_pidfd_send_signal, pidfd, libc::SIGKILL, null, 0)
            };
            assert_eq!(sent, -1);
        }
        assert!(is_there(bystander));
        kill(bystander, libc::SIGTERM);
        assert_eq!(
            wait_for(bystander),
            128 + libc::SIGTERM,
            "hit by somebody else"
        );
    }
    let (bystander, launched) = reused();
    kill(launched.guard_pid, libc::SIGKILL);
    assert_eq!(wait_for(bystander), 128 + libc::SIGKILL, "the control");
}
