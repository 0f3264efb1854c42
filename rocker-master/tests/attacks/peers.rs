//! Whoever sits at the other end.

use crate::entry::{Step, by_hand};
use crate::false_master::let_in;
use rocker_client::{Failure, Stage};
use rocker_sys::socket::{self, Address};
use rocker_sys::{credentials, process};
use rocker_testing::{
    SOCKET, Steady, become_user, in_fork, kill, launch_function, make_dir, pipe, request, wait_for,
};
use std::ffi::{CStr, c_int, c_void};
use std::fs::{self, File};
use std::io::{Error, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

const FALSE_MASTER: &CStr = c"/run/u/master.sock";

/// A user's process tree that looks like a master with its guard; gives its process id and the guard's.
fn start_false_master() -> (i32, i32) {
    make_dir("/run/u", 0o755);
    chown("/run/u", Some(1000), Some(1000)).unwrap();
    let (mut ready, say_ready) = pipe();
    // SAFETY: the case has one thread.
    let master = unsafe { libc::fork() };
    if master == 0 {
        become_user(1000);
        serve(&say_ready);
    }
    drop(say_ready);
    let mut guard = [0; 4];
    ready.read_exact(&mut guard).unwrap();
    (master, i32::from_ne_bytes(guard))
}

/// Namespaces of the user's own, in which it is root, and a process in them to stand for a guard.
fn serve(say_ready: &File) -> ! {
    let own = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::unshare(own | libc::CLONE_NEWPID) }, 0);
    // The change of ids has closed this process's own /proc to it.
    credentials::set_dumpable(true).unwrap();
    fs::write("/proc/self/setgroups", "deny").unwrap();
    for map in ["uid_map", "gid_map"] {
        fs::write(format!("/proc/self/{map}"), "1000 1000 1").unwrap();
    }
    // SAFETY: the process has one thread.
    let guard = unsafe { libc::fork() };
    if guard == 0 {
        loop {
            // SAFETY: no argument.
            unsafe { libc::pause() };
        }
    }
    let door = process::pidfd_open(guard).unwrap();
    let listener = socket::new().unwrap();
    socket::bind(listener.raw(), &Address::new(FALSE_MASTER).unwrap()).unwrap();
    socket::listen(listener.raw(), 8).unwrap();
    { say_ready }.write_all(&guard.to_ne_bytes()).unwrap();
    loop {
        let_in(&socket::accept(listener.raw()).unwrap(), &door);
    }
}

fn user_namespace_of(pid: i32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/ns/user")).unwrap()
}

extern "C" fn nothing(_: *mut c_void) -> c_int {
    0
}

/// firejail CVE-2022-31214: root is led into namespaces that a user has made, and taken for a sandbox's.
pub fn s25_false_guard() {
    let (master, guard) = start_false_master();
    let request = request();
    for _ in 0..50 {
        let failure = launch_function(FALSE_MASTER, &request, nothing).unwrap_err();
        assert_eq!(failure, Failure::new(Stage::MASTER, libc::EPERM));
        assert_eq!(rocker_testing::children_of(1), [master]);
    }
    let (mut inside, say_inside) = pipe();
    let (held, mut hold) = pipe();
    let entered = by_hand(FALSE_MASTER, &request, Step::MasterCheck, &|| {
        (&say_inside).write_all(b".").unwrap();
        (&held).read_exact(&mut [0]).unwrap();
        0
    });
    drop((say_inside, held));
    inside.read_exact(&mut [0]).unwrap();
    assert_eq!(
        user_namespace_of(entered.app_pid),
        user_namespace_of(guard),
        "the control"
    );
    hold.write_all(b".").unwrap();
    wait_for(entered.app_pid);
    kill(master, libc::SIGKILL);
    wait_for(master);
}

/// Sends a datagram, a stream and nothing at all to the master's address, as whoever may connect.
fn send_strange_things() -> i32 {
    let address = SOCKET;
    for kind in [libc::SOCK_DGRAM, libc::SOCK_STREAM, libc::SOCK_SEQPACKET] {
        for _ in 0..50 {
            send_from_unbound(kind, address);
        }
    }
    0
}

fn send_from_unbound(kind: i32, path: &str) {
    // SAFETY: integers only.
    let fd = unsafe { libc::socket(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0) };
    // SAFETY: integers only, for which zero is a value.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as u16;
    for (slot, byte) in address.sun_path.iter_mut().zip(path.bytes()) {
        *slot = byte.cast_signed();
    }
    let len = size_of_val(&address) as u32;
    let name = (&raw const address).cast();
    // SAFETY: the kernel reads the address, all of which is ours.
    let connected = unsafe { libc::connect(fd, name, len) };
    // It is there, and of one kind.
    let errno = Error::last_os_error().raw_os_error();
    assert!(
        connected == 0 || kind != libc::SOCK_SEQPACKET && errno == Some(libc::EPROTOTYPE),
        "{kind}: {errno:?}"
    );
    for flags in [libc::MSG_NOSIGNAL, libc::MSG_NOSIGNAL | libc::MSG_OOB] {
        // SAFETY: as above, and four bytes of our own.
        unsafe { libc::sendto(fd, b"evil".as_ptr().cast(), 4, flags, name, len) };
        // SAFETY: as above; nothing is read.
        unsafe { libc::send(fd, b"".as_ptr().cast(), 0, flags) };
    }
    // SAFETY: made above.
    unsafe { libc::close(fd) };
}

/// One datagram from an unbound socket ended the original's server, whoever sent it.
pub fn d02_strange_sockets() {
    let steady = Steady::start();
    fs::set_permissions(SOCKET, PermissionsExt::from_mode(0o666)).unwrap();
    let as_user = in_fork(|| {
        become_user(1000);
        send_strange_things()
    });
    assert_eq!((as_user, send_strange_things()), (0, 0));
    steady.settle();
    steady.check();
}
