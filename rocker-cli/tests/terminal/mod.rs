//! `Terminal`: a pseudo terminal with an interactive shell in it.
#![allow(unsafe_code, reason = "forkpty")]

use rocker_testing::{binary, children_of, eventually, package, status_of};
use std::ffi::CString;
use std::fs::File;
use std::io::{Error, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::{Duration, Instant};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);

pub struct Terminal {
    side: Option<File>,
    shell: i32,
    /// What has come and no expectation has used up.
    seen: String,
}

impl Terminal {
    /// A terminal in which bash waits for commands, with job control and without echo.
    pub fn with_shell() -> Self {
        package();
        let words = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"];
        let words = words.map(|word| CString::new(word).unwrap());
        let mut arguments: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
        arguments.push(std::ptr::null());
        let mut side = -1;
        let (name, mode, size) = (
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        );
        // SAFETY: the descriptor is written to our variable; null pointers are not read. The case has one thread.
        let shell = unsafe { libc::forkpty(&raw mut side, name, mode, size) };
        assert!(shell >= 0, "forkpty: {}", Error::last_os_error());
        if shell == 0 {
            // SAFETY: the array of strings ends with a null pointer.
            unsafe { libc::execv(arguments[0], arguments.as_ptr()) };
            // SAFETY: ends this fork.
            unsafe { libc::_exit(127) };
        }
        // SAFETY: forkpty has just made it for us.
        let side = Some(unsafe { File::from_raw_fd(side) });
        let mut terminal = Self {
            side,
            shell,
            seen: String::new(),
        };
        terminal
            .type_line("stty -echo; PS1='> '; export PATH=/usr/bin:/bin; echo shell is $((1+1))");
        terminal.expect("shell is 2");
        terminal
    }

    /// The shell's process id.
    pub fn shell(&self) -> i32 {
        self.shell
    }

    /// Types a command that runs `sh -c SCRIPT` as an App; the script has no single quotes.
    pub fn run_app(&mut self, script: &str) {
        self.run_app_with(script, "");
    }

    /// Likewise, with something at the end of the line.
    pub fn run_app_with(&mut self, script: &str, end: &str) {
        let rocker = binary("rocker");
        self.type_line(&format!(
            "{} run /run/app.sqfs sh -c '{script}' {end}",
            rocker.display()
        ));
    }

    pub fn type_line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// A control character: 3 is Ctrl-C, 26 Ctrl-Z, 28 Ctrl-\.
    pub fn press(&mut self, key: u8) {
        self.write(&[key]);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.side.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Waits until this text has come, and uses up everything to its end, which it gives.
    pub fn expect(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                return self.seen.drain(..at + text.len()).collect();
            }
            assert!(
                start.elapsed() < LIMIT * rocker_testing::patience(),
                "no {text:?} in {:?}",
                self.seen
            );
            self.read();
        }
    }

    /// Waits until a job is in the foreground and runs, with its children: a shell that starts or continues one takes a
    /// moment to hand the terminal over.
    pub fn wait_for_job(&self) {
        let fd = self.side.as_ref().unwrap().as_raw_fd();
        let runs = |pid: &i32| !status_of(*pid, "State").starts_with('T');
        eventually("a job runs in the foreground", LIMIT, || {
            // SAFETY: integers only.
            let job = unsafe { libc::tcgetpgrp(fd) };
            job > 0 && job != self.shell && runs(&job) && children_of(job).iter().all(runs)
        });
    }

    /// What has come by now; it is used up.
    pub fn read_what_comes(&mut self) -> String {
        self.read();
        std::mem::take(&mut self.seen)
    }

    /// Waits a moment for more.
    fn read(&mut self) {
        let side = self.side.as_mut().unwrap();
        let mut poll = libc::pollfd {
            fd: side.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one structure of ours.
        if unsafe { libc::poll(&raw mut poll, 1, 100) } > 0 {
            let mut bytes = [0; 4096];
            let len = side.read(&mut bytes).unwrap_or(0);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..len]));
        }
    }

    /// Changes the terminal's size, of which the kernel tells its foreground job.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let fd = self.side.as_ref().unwrap().as_raw_fd();
        // SAFETY: the kernel reads one struct winsize.
        let done = unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(done, 0);
    }

    /// Closes it: its session gets SIGHUP.
    pub fn hang_up(&mut self) {
        self.side = None;
    }
}
