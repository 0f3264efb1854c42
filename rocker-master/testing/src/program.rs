//! Launching programs as Apps.

use crate::files::c_path;
use crate::pipe::pipe;
use crate::wait_for;
use rocker_client::{DEFAULT_SOCKET, Failure, Launched, Request, launch_program};
use std::ffi::{CStr, CString};
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::null;

/// A program with its arguments, the first of which is its name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program<'a> {
    /// `argv`; the first names the file.
    pub arguments: &'a [&'a str],
    /// `envp`
    pub environment: &'a [&'a str],
    /// Where to look for a file without a slash.
    pub search: Option<&'a CStr>,
    /// Descriptors that it inherits.
    pub keep: &'a [RawFd],
}

impl Program<'_> {
    /// Launches it by the master at the usual place.
    pub fn launch(&self, request: &Request<'_>) -> Result<Launched, Failure> {
        let own = |words: &[&str]| words.iter().map(c_path).collect::<Vec<CString>>();
        let (arguments, environment) = (own(self.arguments), own(self.environment));
        let list = |words: &[CString]| {
            let pointers = words.iter().map(|word| word.as_ptr());
            pointers.chain([null()]).collect::<Vec<_>>()
        };
        let (argv, envp) = (list(&arguments), list(&environment));
        let program = rocker_client::Program {
            path: &arguments[0],
            argv: argv.as_ptr(),
            envp: envp.as_ptr(),
            search: self.search,
            keep: self.keep,
        };
        // SAFETY: both arrays end with a null pointer, and they and their strings outlive the call.
        unsafe { launch_program(DEFAULT_SOCKET, request, &program) }
    }
}

/// What a shell script prints inside the sandbox. Its standard output is descriptor 9 of the case, so that the case keeps
/// its own.
pub fn ask_shell(request: &Request<'_>, script: &str) -> String {
    let (mut answer, tell) = pipe();
    // SAFETY: integers only; nothing of a case has this number.
    let nine = unsafe { libc::dup2(tell.as_raw_fd(), 9) };
    assert_eq!(nine, 9);
    drop(tell);
    let script = format!("exec >&9 9>&-; {script}");
    let program = Program {
        arguments: &["/bin/sh", "-c", &script],
        keep: &[9],
        ..Program::default()
    };
    let launched = program.launch(request).unwrap();
    // SAFETY: the number is this function's own.
    unsafe { libc::close(9) };
    let mut text = String::new();
    answer.read_to_string(&mut text).unwrap();
    assert_eq!(wait_for(launched.app_pid), 0, "the script failed");
    crate::wait_for_guard(&launched);
    text
}
