//! `Lurker`: an App that waits in its sandbox for whoever comes in next, and looks into it by every way that there is.

use crate::false_master::let_in;
use rocker_sys::socket::{self, Address};
use rocker_sys::{Fd, process, time};
use rocker_testing::{App, kill, pipe, wait_for};
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where a false master sends every client into the lurker's sandbox.
pub const DOOR: &CStr = c"/run/door.sock";

/// What the AppMaster keeps in its memory. It is written when the lurker has its own copy of that memory already.
static SECRET: AtomicU64 = AtomicU64::new(0);
const VALUE: u64 = 0x5ec2_e75e_c2e7_5ec2;

/// What the AppMaster holds open, at a number that the lurker guesses: root's alone.
const SECRET_FD: i32 = 77;
const SECRET_FILE: &str = "/run/secret";

/// One that lurks.
pub struct Lurker {
    app: i32,
    door: i32,
    stop: File,
    loot: File,
}

impl Lurker {
    /// `enter` starts this App in a sandbox, and gives its guard.
    pub fn start(enter: impl FnOnce(App<'_>) -> i32) -> Self {
        SECRET.store(0, Relaxed);
        let (stopped, stop) = pipe();
        let (loot, carry) = pipe();
        let app = || {
            let met = lurk(&stopped, &carry);
            (&carry).write_all(format!("met {met}").as_bytes()).unwrap();
            0
        };
        let guard = enter(&app);
        drop(carry);
        // The App is the youngest child of the case.
        let app = *rocker_testing::children_of(1).last().unwrap();
        let door = open_door(guard);
        SECRET.store(VALUE, Relaxed);
        fs::write(SECRET_FILE, VALUE.to_ne_bytes()).unwrap();
        fs::set_permissions(SECRET_FILE, PermissionsExt::from_mode(0o600)).unwrap();
        let file = File::open(SECRET_FILE).unwrap();
        // SAFETY: integers only; nothing of the case has this number.
        let secret = unsafe { libc::dup2(file.as_raw_fd(), SECRET_FD) };
        assert_eq!(secret, SECRET_FD);
        Self {
            app,
            door,
            stop,
            loot,
        }
    }

    /// Ends it; gives how many processes it met, and by which ways it got at a secret.
    pub fn end(mut self) -> (u32, String) {
        // A byte, and not the end of the pipe, of which the App itself has a copy.
        self.stop.write_all(b".").unwrap();
        let mut text = String::new();
        self.loot.read_to_string(&mut text).unwrap();
        assert_eq!(wait_for(self.app), 0);
        kill(self.door, libc::SIGKILL);
        wait_for(self.door);
        let (loot, met) = text.split_once("met ").unwrap();
        (met.parse().unwrap(), loot.to_owned())
    }
}

/// Stays inside for a moment, so that it can be met.
pub fn linger() {
    for _ in 0..4 {
        // SAFETY: no argument.
        unsafe { libc::sched_yield() };
    }
}

/// Gives every client the guard's pidfd, as the guard itself did with its first one. Gives the process id.
fn open_door(guard: i32) -> i32 {
    let door = process::pidfd_open(guard).unwrap();
    fs::remove_file("/run/door.sock").unwrap_or_default();
    let listener = socket::new().unwrap();
    socket::bind(listener.raw(), &Address::new(DOOR).unwrap()).unwrap();
    socket::listen(listener.raw(), 8).unwrap();
    // SAFETY: the case has one thread.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        loop {
            let_in(&socket::accept(listener.raw()).unwrap(), &door);
        }
    }
    pid
}

/// Looks at every process that comes, until it is told to stop; gives how many looks it had.
fn lurk(stopped: &File, carry: &File) -> u32 {
    let me = process::pid();
    let mut met = 0;
    let mut last = 0;
    while time::wait_readable(stopped.as_raw_fd(), 0).is_err() {
        let names = fs::read_dir("/proc").unwrap();
        let pids = names.filter_map(|name| name.unwrap().file_name().to_str()?.parse().ok());
        for pid in pids.filter(|pid| *pid != 1 && *pid != me) {
            met += u32::from(pid != last);
            last = pid;
            for way in look_into(pid) {
                (&mut &*carry).write_all(way.as_bytes()).unwrap();
            }
        }
    }
    met
}

/// What a process gives by one way.
type Way = fn(i32) -> Option<u64>;

/// By which ways does this process give its secrets?
fn look_into(pid: i32) -> Vec<&'static str> {
    let ways: [(&str, Way); 4] = [
        ("readv ", by_readv),
        ("mem ", by_mem),
        ("getfd ", by_getfd),
        ("ptrace ", by_ptrace),
    ];
    let leads = ways.into_iter().filter(|(_, way)| way(pid) == Some(VALUE));
    leads.map(|(name, _)| name).collect()
}

fn by_readv(pid: i32) -> Option<u64> {
    let mut value = 0u64;
    let local = libc::iovec {
        iov_base: (&raw mut value).cast(),
        iov_len: 8,
    };
    let remote = libc::iovec {
        iov_base: SECRET.as_ptr().cast(),
        iov_len: 8,
    };
    // SAFETY: the kernel writes eight bytes to our variable; the remote address is another process's.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    (read == 8).then_some(value)
}

fn by_mem(pid: i32) -> Option<u64> {
    let file = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut value = [0; 8];
    file.read_exact_at(&mut value, SECRET.as_ptr() as u64)
        .ok()?;
    Some(u64::from_ne_bytes(value))
}

fn by_getfd(pid: i32) -> Option<u64> {
    let pidfd = process::pidfd_open(pid).ok()?;
    // SAFETY: integers only.
    let stolen = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.raw(), SECRET_FD, 0) };
    // SAFETY: the kernel made it just now, if it is one.
    let stolen = (stolen >= 0).then(|| unsafe { Fd::from_raw(stolen as i32) })?;
    let mut value = [0; 8];
    // SAFETY: the kernel writes at most eight bytes, without moving the AppMaster's own place in the file.
    let read = unsafe { libc::pread(stolen.raw(), value.as_mut_ptr().cast(), 8, 0) };
    (read == 8).then_some(u64::from_ne_bytes(value))
}

/// Attaching alone is as good as the secret.
fn by_ptrace(pid: i32) -> Option<u64> {
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: attaching has no effect on this process.
    let attached = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, null, null) };
    (attached == 0).then_some(VALUE)
}
