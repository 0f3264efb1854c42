//! Failures at the other end of the connection: nobody, somebody else, or a master that says nothing.

use crate::probe::{ALL, Failed, Probe, failed, fails_alone};
use rocker_testing::Master;
use std::fs::{self, Permissions};
use std::io::Error;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::time::{Duration, Instant};

const SEND_REQ_FAILED: i32 = 5;
const RECV_RESP_FAILED: i32 = 6;
const BUILD_ROCKER_FAILED: i32 = 7;
const SOCKET: &str = "/run/rocker/master.sock";

/// A listener at the master's place that belongs to `uid`.
fn listen(uid: u32) -> OwnedFd {
    fs::create_dir("/run/rocker").unwrap();
    chown("/run/rocker", Some(uid), Some(uid)).unwrap();
    // The kernel notes who calls listen(2). A thread alone changes its uid: the system call does not reach the others.
    std::thread::spawn(move || {
        // SAFETY: integers only.
        check(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) } as i32);
        // SAFETY: integers only.
        let fd = check(unsafe {
            libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0)
        });
        let (address, size) = address();
        // SAFETY: the kernel reads the address, all of which is ours.
        check(unsafe { libc::bind(fd, (&raw const address).cast(), size) });
        // SAFETY: integers only.
        check(unsafe { libc::listen(fd, 8) });
        let patience = libc::timeval {
            tv_sec: 20,
            tv_usec: 0,
        };
        // A client that fails too early must not make the case wait for its visit.
        // SAFETY: the kernel reads one timeval.
        check(unsafe {
            libc::setsockopt(
                fd,
                libc::SOL_SOCKET,
                libc::SO_RCVTIMEO,
                (&raw const patience).cast(),
                size_of::<libc::timeval>() as u32,
            )
        });
        // SAFETY: made above, and owned by nobody else.
        unsafe { OwnedFd::from_raw_fd(fd) }
    })
    .join()
    .unwrap()
}

fn address() -> (libc::sockaddr_un, u32) {
    // SAFETY: integers, for which zero is a value.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as u16;
    for (slot, byte) in address.sun_path.iter_mut().zip(SOCKET.bytes()) {
        *slot = byte as libc::c_char;
    }
    (address, size_of_val(&address) as u32)
}

fn check(value: i32) -> i32 {
    assert!(value >= 0, "{}", Error::last_os_error());
    value
}

/// Hears the request of one launch and answers it. The connection stays open until the launch is over.
fn answer(listener: &OwnedFd, expected: &Failed, speak: impl Fn(i32) + Sync) -> Duration {
    use std::os::fd::AsRawFd;
    Probe::new();
    let start = Instant::now();
    std::thread::scope(|scope| {
        let client = scope.spawn(|| fails_alone(&["enter"], &[], expected));
        // SAFETY: null pointers: no address is written.
        let fd = check(unsafe {
            libc::accept4(
                listener.as_raw_fd(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                libc::SOCK_CLOEXEC,
            )
        });
        // SAFETY: accepted just now.
        let connection = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut request = [0; 4096];
        // SAFETY: the kernel writes into our buffer, and no more than it holds.
        let heard =
            unsafe { libc::recv(connection.as_raw_fd(), request.as_mut_ptr().cast(), 4096, 0) };
        assert!(heard > 60);
        speak(connection.as_raw_fd());
        client.join().unwrap();
    });
    start.elapsed()
}

fn send(fd: i32, bytes: &[u8]) {
    // SAFETY: the kernel reads the borrowed bytes.
    let sent = unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), 0) };
    assert_eq!(sent, bytes.len().cast_signed());
}

pub fn no_master() {
    fails_alone(
        ALL,
        &[],
        &failed(SEND_REQ_FAILED, 66, libc::ENOENT, "connect: ENOENT"),
    );
}

pub fn nobody_listens_any_more() {
    drop(listen(0));
    fails_alone(
        ALL,
        &[],
        &failed(
            SEND_REQ_FAILED,
            66,
            libc::ECONNREFUSED,
            "connect: ECONNREFUSED",
        ),
    );
}

pub fn listener_is_not_root() {
    let _squatter = listen(1000);
    fails_alone(
        ALL,
        &[],
        &failed(SEND_REQ_FAILED, 67, libc::EPERM, "master: EPERM"),
    );
}

/// A launch that cannot send its request does not wait for the answer.
pub fn request_cannot_be_sent() {
    let _silent = listen(0);
    let start = Instant::now();
    let expected = failed(SEND_REQ_FAILED, 69, libc::ENOBUFS, "send: ENOBUFS");
    fails_alone(ALL, &["deny=sendmsg:105"], &expected);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

pub fn master_vanishes() {
    let listener = listen(0);
    let expected = failed(RECV_RESP_FAILED, 70, libc::ECONNRESET, "answer: ECONNRESET");
    answer(&listener, &expected, |fd| {
        // SAFETY: integers only. Nobody reads what was sent.
        check(unsafe { libc::shutdown(fd, libc::SHUT_RDWR) });
    });
}

/// A listener that accepts nobody, and an AppMaster whose timer interrupts it every 100 us: the deadline holds.
pub fn backlog_is_full_and_signals_come() {
    let listener = listen(0);
    let waiting = fill_backlog();
    let start = Instant::now();
    let expected = failed(SEND_REQ_FAILED, 66, libc::ETIMEDOUT, "connect: ETIMEDOUT");
    fails_alone(&["enter"], &["storm=100"], &expected);
    assert!(
        (9..13).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    drop((listener, waiting));
}

/// Connects until nobody else can; gives the connections.
fn fill_backlog() -> Vec<OwnedFd> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let (address, size) = address();
    let mut waiting = Vec::new();
    loop {
        // SAFETY: integers only.
        let fd = check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) });
        // SAFETY: made just now, and owned by nobody else.
        waiting.push(unsafe { OwnedFd::from_raw_fd(fd) });
        // SAFETY: the kernel reads the address, all of which is ours.
        if unsafe { libc::connect(fd, (&raw const address).cast(), size) } != 0 {
            assert_eq!(Error::last_os_error().raw_os_error(), Some(libc::EAGAIN));
            return waiting;
        }
    }
}

pub fn answer_is_not_a_reply() {
    let listener = listen(0);
    let expected = failed(RECV_RESP_FAILED, 71, libc::EPROTO, "reply: EPROTO");
    answer(&listener, &expected, |fd| send(fd, &[0x55; 32]));
}

pub fn answer_is_too_long() {
    let listener = listen(0);
    let expected = failed(RECV_RESP_FAILED, 71, libc::EMSGSIZE, "reply: EMSGSIZE");
    answer(&listener, &expected, |fd| send(fd, &[0x55; 100]));
}

/// READY in every byte, but without the descriptors.
pub fn answer_promises_what_it_does_not_bring() {
    let listener = listen(0);
    let expected = failed(RECV_RESP_FAILED, 71, libc::EPROTO, "reply: EPROTO");
    let mut reply = [0; 32];
    reply[..6].copy_from_slice(b"RKA\0\x04\0");
    reply[16..20].copy_from_slice(b"name");
    answer(&listener, &expected, |fd| send(fd, &reply));
}

/// Stages of a newer master than this library.
pub fn answer_names_a_stage_of_the_future() {
    let listener = listen(0);
    let expected = failed(BUILD_ROCKER_FAILED, 60, libc::EPERM, "unknown-stage: EPERM");
    let mut reply = [0; 32];
    reply[..6].copy_from_slice(b"RKA\0\x04\0");
    reply[6..16].copy_from_slice(&[60, 0, 1, 0, 0, 0, 0xff, 0xff, 0, 0]);
    answer(&listener, &expected, |fd| send(fd, &reply));
}

pub fn socket_is_closed_to_other_users() {
    let _master = Master::start();
    fails_alone(
        ALL,
        &["become=1000"],
        &failed(SEND_REQ_FAILED, 66, libc::EACCES, "connect: EACCES"),
    );
}

pub fn master_refuses_other_users() {
    let _master = Master::start();
    fs::set_permissions(SOCKET, Permissions::from_mode(0o666)).unwrap();
    fails_alone(
        ALL,
        &["become=1000"],
        &failed(BUILD_ROCKER_FAILED, 24, libc::EPERM, "peer: EPERM"),
    );
}

pub fn stopped_master_is_waited_for_no_longer_than_the_deadline() {
    let master = Master::start();
    let probe = Probe::new();
    // SAFETY: integers only; the master is ours.
    check(unsafe { libc::kill(master.pid(), libc::SIGSTOP) });
    let start = Instant::now();
    let said = probe.says("program", &[]);
    // SAFETY: as above.
    check(unsafe { libc::kill(master.pid(), libc::SIGCONT) });
    assert_eq!(
        said,
        format!("6 70 {} -1 answer: ETIMEDOUT", libc::ETIMEDOUT)
    );
    assert!((9..13).contains(&start.elapsed().as_secs()));
    // It goes on where it was, and the client that left has left nothing.
    assert_eq!(probe.says("program", &[]), "0 0");
}
