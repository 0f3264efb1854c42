//! `OwnMaster`: a master for one run, where none serves.

use crate::message::Digits;
use core::ffi::{CStr, c_char, c_void};
use rocker_sys::signal::{self, SIGTERM, SigSet};
use rocker_sys::socket::{self, Address};
use rocker_sys::{Errno, Fd, Result, close_on_exec_from, credentials, fs, process, time, vfork};

/// How long a master may take to listen, in milliseconds.
const START_TIMEOUT_MS: u64 = 5_000;

/// A master that this command has started. It ends when this is dropped, and when this command dies.
pub(crate) struct OwnMaster {
    pid: i32,
    socket: [u8; 64],
}

impl OwnMaster {
    /// Starts one if nobody listens at `socket`; `Ok(None)` if somebody does, or if this command is not root, who alone
    /// could start one: the launch itself will then say what is wrong.
    pub(crate) fn start_if_none(
        socket: &CStr,
        environment: *const *const c_char,
    ) -> Result<Option<Self>> {
        if credentials::effective_uid() != 0 || !is_deserted(socket)? {
            return Ok(None);
        }
        Self::start(environment).map(Some)
    }

    pub(crate) fn socket(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.socket).unwrap_or_default()
    }

    fn start(environment: *const *const c_char) -> Result<Self> {
        let mut socket = [0; 64];
        let digits = Digits::of(process::pid().unsigned_abs().into());
        let name = b"/run/rocker/run."
            .iter()
            .chain(digits.as_bytes())
            .chain(b".sock");
        for (slot, byte) in socket.iter_mut().zip(name) {
            *slot = *byte;
        }
        let (ours, theirs) = socket::pair()?;
        let mut pid = Err(Errno::ENOENT);
        let mut beside = [0; 4096];
        for path in [
            beside_this_program(&mut beside)?,
            c"/usr/sbin/rocker-master",
            c"/usr/bin/rocker-master",
        ] {
            if fs::access(path, 1).is_ok() {
                pid = spawn(path, &socket, &theirs, environment);
                break;
            }
        }
        let master = Self { pid: pid?, socket };
        drop(theirs);
        // Its newline, or the end of it.
        time::wait_readable(ours.raw(), time::monotonic_ms() + START_TIMEOUT_MS)?;
        if fs::read(ours.raw(), &mut [0; 1])? == 0 {
            return Err(Errno::ECANCELED);
        }
        Ok(master)
    }
}

impl Drop for OwnMaster {
    fn drop(&mut self) {
        // Gone already.
        process::kill(self.pid, SIGTERM).unwrap_or_default();
        while process::wait(process::Which::Pid(self.pid), 0) == Err(Errno::EINTR) {}
        for suffix in [&b".lock"[..], b".mask"] {
            let mut path = [0; 64];
            let name = self.socket().to_bytes().iter().chain(suffix);
            for (slot, byte) in path.iter_mut().zip(name) {
                *slot = *byte;
            }
            let path = CStr::from_bytes_until_nul(&path).unwrap_or_default();
            fs::unlinkat(fs::AT_FDCWD, path, 0).unwrap_or_default();
        }
    }
}

/// Does nobody listen there?
fn is_deserted(path: &CStr) -> Result<bool> {
    let address = Address::new(path)?;
    let connection = socket::new()?;
    let connected = socket::connect(connection.raw(), &address);
    Ok(matches!(
        connected,
        Err(Errno::ENOENT | Errno::ECONNREFUSED)
    ))
}

/// `rocker-master` in the directory of this program.
fn beside_this_program(buffer: &mut [u8; 4096]) -> Result<&CStr> {
    let len = fs::readlinkat(fs::AT_FDCWD, c"/proc/self/exe", buffer)?;
    let end = buffer
        .get(..len)
        .unwrap_or_default()
        .iter()
        .rposition(|byte| *byte == b'/')
        .unwrap_or(0);
    let slots = buffer.get_mut(end..).unwrap_or_default();
    for (slot, byte) in slots.iter_mut().zip(b"/rocker-master\0") {
        *slot = *byte;
    }
    CStr::from_bytes_until_nul(buffer).map_err(|_| Errno::ENAMETOOLONG)
}

/// What the child needs.
struct Start {
    path: *const c_char,
    argv: [*const c_char; 7],
    environment: *const *const c_char,
    notify_fd: i32,
}

#[allow(unsafe_code)]
fn spawn(
    path: &CStr,
    socket: &[u8; 64],
    notify: &Fd,
    environment: *const *const c_char,
) -> Result<i32> {
    let digits = Digits::of(notify.raw().unsigned_abs().into());
    let mut fd = [0; 24];
    for (slot, byte) in fd.iter_mut().zip(digits.as_bytes()) {
        *slot = *byte;
    }
    let mut start = Start {
        path: path.as_ptr(),
        argv: [
            path.as_ptr(),
            c"--socket".as_ptr(),
            socket.as_ptr().cast(),
            c"--die-with-parent".as_ptr(),
            c"--notify-fd".as_ptr(),
            fd.as_ptr().cast(),
            core::ptr::null(),
        ],
        environment,
        notify_fd: notify.raw(),
    };
    let mask = signal::set_mask(&SigSet::full())?;
    // SAFETY: `execute` leaves by execve or exit and writes nothing; every signal is blocked, and this program has no
    // handler; `start` outlives the call.
    let pid = unsafe { vfork::spawn(execute, (&raw mut start).cast()) };
    signal::set_mask(&mask)?;
    pid
}

#[allow(unsafe_code)]
unsafe extern "C" fn execute(argument: *mut c_void) -> ! {
    // SAFETY: `spawn` passes a `Start` and waits.
    let start = unsafe { &*argument.cast::<Start>() };
    let ready = close_on_exec_from(3, &[start.notify_fd])
        // A session of its own: what the terminal sends to the App's group is not for the master.
        .and_then(|()| process::setsid())
        .and_then(|()| signal::set_mask(&SigSet::empty()));
    if ready.is_ok() {
        // SAFETY: a string that outlives the call.
        let path = unsafe { CStr::from_ptr(start.path) };
        // SAFETY: both arrays end with a null pointer.
        unsafe { process::execve(path, start.argv.as_ptr(), start.environment) };
    }
    process::exit(127)
}
