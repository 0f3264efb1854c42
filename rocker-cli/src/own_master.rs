//! `OwnMaster`: a master for one run, where none serves.
//!
//! It lives for the launch alone, since a sandbox needs its master no more once it runs: the App's memory is not shared
//! with a daemon that has nothing to do. This command becomes the parent of whatever the master leaves.

use crate::message::{name, report};
use crate::sandbox::wait_for_children;
use crate::signals::Signals;
use core::ffi::{CStr, c_char, c_void};
use rocker_sys::process::{self, Which};
use rocker_sys::raw::general::{WNOHANG, WNOWAIT};
use rocker_sys::signal::{self, SIGCHLD, SIGTERM, SigSet};
use rocker_sys::{
    Decimal, Errno, Fd, Result, StackPath, close_on_exec_from, credentials, dup_to, fs, socket,
    time, vfork,
};

/// Where the master of this run listens.
type Address = StackPath<56>;

/// How long a master may take to listen, in milliseconds.
const START_TIMEOUT_MS: u64 = 5_000;

/// How long the guard of a launch that has failed may take to end, in milliseconds. It does so by itself.
const FAILED_GUARD_MS: u64 = 2_000;

/// A master that this command has started. It ends when this is dropped, and when this command dies.
pub(crate) struct OwnMaster<'a> {
    pid: i32,
    socket: Address,
    signals: &'a Signals,
    /// Had this command children before, of whatever it was before it was executed? They are nothing to wait for.
    strangers: bool,
    /// Its standard error ends here: what it says of a launch this command says too, and better. It is kept open, for a
    /// write to nobody would kill the master.
    _talk: Fd,
}

/// What the master says while it starts, of which the last packet is kept: a line that says what is wrong, or the newline
/// alone that says that it listens.
struct Said([u8; 512]);

impl Default for Said {
    fn default() -> Self {
        Self([0; 512])
    }
}

impl Said {
    /// Without its newline.
    fn line(&self) -> &[u8] {
        let end = |byte: &u8| matches!(byte, 0 | b'\n');
        self.0.split(end).next().unwrap_or_default()
    }
}

impl<'a> OwnMaster<'a> {
    /// Starts one; if it cannot, it says so.
    pub(crate) fn start(environment: *const *const c_char, signals: &'a Signals) -> Option<Self> {
        let mut said = Said::default();
        match Self::try_start(environment, signals, &mut said) {
            Ok(master) => return Some(master),
            Err(Errno::ECANCELED) => {
                let line = match said.line() {
                    b"" => b"it ended without a word",
                    line => line,
                };
                report(&[b"the master for this run did not start: ", line]);
            }
            Err(Errno::ENOENT) => {
                report(&[
                    b"no master serves, and there is ",
                    NO_PROGRAM,
                    b" to start: ENOENT",
                ]);
            }
            Err(errno) => report(&[b"cannot start a master for this run: ", name(errno)]),
        }
        None
    }

    pub(crate) fn socket(&self) -> &CStr {
        self.socket.as_c_str()
    }

    /// `ECANCELED`: it has said why not.
    fn try_start(
        environment: *const *const c_char,
        signals: &'a Signals,
        said: &mut Said,
    ) -> Result<Self> {
        let socket = own_address()?;
        let mut beside = [0; 4096];
        let program = find_program(&mut beside)?;
        let strangers = process::wait(Which::Any, WNOHANG | WNOWAIT) != Err(Errno::ECHILD);
        credentials::set_child_subreaper(true)?;
        let (ours, theirs) = socket::pair()?;
        let pid = spawn(program, socket.as_c_str(), (&ours, &theirs), environment)?;
        let master = Self {
            pid,
            socket,
            signals,
            strangers,
            _talk: ours,
        };
        drop(theirs);
        // Its newline, or why not, or the end of it.
        let talk = master._talk.raw();
        let deadline = time::monotonic_ms() + START_TIMEOUT_MS;
        loop {
            time::wait_readable(talk, deadline)?;
            let mut packet = Said::default();
            match (fs::read(talk, &mut packet.0)?, packet.line()) {
                (0, _) => return Err(Errno::ECANCELED),
                (_, b"") => return Ok(master),
                _ => *said = packet,
            }
        }
    }

    /// As dropping it, but waits for the guard of a launch that has failed too, so that nothing of it is left.
    pub(crate) fn end_after_failure(self) {
        let (signals, strangers) = (self.signals, self.strangers);
        drop(self);
        if !strangers {
            let deadline = time::monotonic_ms() + FAILED_GUARD_MS;
            // Late or not, there is no more to be done.
            wait_for_children(signals, Which::Any, deadline).unwrap_or_default();
        }
    }
}

impl Drop for OwnMaster<'_> {
    fn drop(&mut self) {
        // Gone already.
        process::kill(self.pid, SIGTERM).unwrap_or_default();
        while process::wait(Which::Pid(self.pid), 0) == Err(Errno::EINTR) {}
        for suffix in [&b""[..], b".lock", b".mask"] {
            // The suffix fits: the address leaves room for it.
            let Ok(path) = StackPath::<64>::of(&[self.socket().to_bytes(), suffix]) else {
                continue;
            };
            fs::unlinkat(fs::AT_FDCWD, path.as_c_str(), 0).unwrap_or_default();
        }
    }
}

/// Where the master of this run listens: no other run has this process's number.
fn own_address() -> Result<Address> {
    let run = Decimal::of(process::pid().unsigned_abs());
    Address::of(&[b"/run/rocker/run.", run.as_bytes(), b".sock"])
}

/// What is missing if [`find_program`] finds none.
pub(crate) const NO_PROGRAM: &[u8] =
    b"no rocker-master beside this program, in /usr/sbin or in /usr/bin";

/// The master's program.
pub(crate) fn find_program(beside: &mut [u8; 4096]) -> Result<&CStr> {
    let programs = [
        beside_this_program(beside)?,
        c"/usr/sbin/rocker-master",
        c"/usr/bin/rocker-master",
    ];
    let is_there = |path: &&CStr| fs::access(path, 1).is_ok();
    programs.into_iter().find(is_there).ok_or(Errno::ENOENT)
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
    /// The master's end of the socket pair, and the child's copy of this command's.
    talk: i32,
    other_end: i32,
}

#[allow(unsafe_code)]
fn spawn(
    path: &CStr,
    socket: &CStr,
    (ours, talk): (&Fd, &Fd),
    environment: *const *const c_char,
) -> Result<i32> {
    let fd = StackPath::<16>::numbered(b"", talk.raw().unsigned_abs(), b"")?;
    let mut start = Start {
        path: path.as_ptr(),
        argv: [
            path.as_ptr(),
            c"--socket".as_ptr(),
            socket.as_ptr(),
            c"--die-with-parent".as_ptr(),
            c"--notify-fd".as_ptr(),
            fd.as_c_str().as_ptr(),
            core::ptr::null(),
        ],
        environment,
        talk: talk.raw(),
        other_end: ours.raw(),
    };
    let mut stack = vfork::Stack::new()?;
    let mask = signal::set_mask(&SigSet::full())?;
    // SAFETY: `execute` leaves by execve or exit and writes nothing; every signal is blocked, and this program has no
    // handler; `start` and the stack outlive the call.
    let pid = unsafe { stack.spawn(SIGCHLD, execute, (&raw mut start).cast()) };
    signal::set_mask(&mask)?;
    pid
}

#[allow(unsafe_code)]
unsafe extern "C" fn execute(argument: *mut c_void) -> ! {
    // SAFETY: `spawn` passes a `Start` and waits.
    let start = unsafe { &*argument.cast::<Start>() };
    // SAFETY: this process's copy of the descriptor has no owner.
    drop(unsafe { Fd::from_raw(start.other_end) });
    let ready = credentials::set_parent_death_signal(SIGTERM)
        // A command that died before that is seen by its end of the socket pair, which nobody else has.
        .and_then(|()| match time::wait_readable(start.talk, 0) {
            Err(Errno::ETIMEDOUT) => Ok(()),
            _ => Err(Errno::ESRCH),
        })
        // SAFETY: this process's copy of standard error has no owner.
        .and_then(|()| unsafe { dup_to(start.talk, 2) })
        .and_then(|()| close_on_exec_from(3, &[start.talk]))
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
