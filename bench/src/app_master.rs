//! Our side of every comparison: an AppMaster, in a process of its own as small as the floor program's.
//!
//! It is this same executable, called again with [`MARK`]. It reads letters and answers as `floor/floor.c` does; two more
//! numbers, the process ids of guard and App, follow the times.

use crate::cache::forget;
use crate::clock::now;
use crate::sandbox::wait_for_end;
use crate::start::Start;
use crate::{Launch, Way};
use rocker_client::{
    Callback, Launched, Program, Request, Seccomp, launch_callback, launch_program,
};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null;

/// The first argument of an AppMaster.
pub const MARK: &str = "--app-master";

/// Becomes an AppMaster if the command line says so. The first thing that `main` does.
pub fn run_if_asked() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(MARK) {
        return;
    }
    let launch = Launch::parse(arguments);
    let ballast = vec![1u8; (launch.ballast as usize) << 20];
    let mut app_master = AppMaster::new(&launch);
    let mut letter = [0; 1];
    while matches!(std::io::stdin().read(&mut letter), Ok(1)) {
        let line = app_master.launch(letter[0]);
        std::io::stdout()
            .write_all(line.as_bytes())
            .expect("a pipe");
    }
    drop(std::hint::black_box(ballast));
    reap_all();
    std::process::exit(0);
}

/// Apps that were kept end with their guards, which whoever kept them kills. A guard is in the process table, and its
/// package in the cache, until its App has been waited for.
fn reap_all() {
    // SAFETY: no status is written to the null pointer.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } > 0 {}
}

/// What all launches of one AppMaster share.
struct AppMaster<'a> {
    launch: &'a Launch,
    strings: Strings,
    start: &'static Start,
    /// How many sandboxes were kept.
    kept: u32,
}

/// The request's strings, and what is executed.
struct Strings {
    package: CString,
    exec_dir: CString,
    data_dir: CString,
    overlays: Vec<CString>,
    program: CString,
}

/// What the callback is given.
struct App<'a> {
    start: &'a Start,
    program: &'a CStr,
    execute: bool,
}

impl<'a> AppMaster<'a> {
    fn new(launch: &'a Launch) -> Self {
        std::fs::create_dir_all(&launch.data_dir).expect("a directory");
        let strings = Strings {
            package: c_string(&launch.package),
            exec_dir: c_string(&launch.exec_dir),
            data_dir: c_string(&launch.data_dir),
            overlays: launch.overlays.iter().map(|dir| c_string(dir)).collect(),
            program: c_string(&launch.exec_dir.join("busybox")),
        };
        Self {
            launch,
            strings,
            start: Start::shared(),
            kept: 0,
        }
    }

    /// One launch; gives the line to answer.
    fn launch(&mut self, letter: u8) -> String {
        if letter == b'k' {
            // Sandboxes that live at the same time have a directory each: an upper layer serves one overlay at a time.
            self.kept += 1;
            let dir = self.launch.data_dir.join(self.kept.to_string());
            std::fs::create_dir_all(&dir).expect("a directory");
            self.strings.data_dir = c_string(&dir);
        }
        if self.launch.is_first_use {
            forget(&self.launch.package);
        }
        self.start.forget();
        let call = now();
        let launched = match self.launch.way {
            Way::Callback => self.call_back(letter == b'e'),
            Way::Program => self.execute(letter == b'e'),
        };
        let mut done = 0;
        if letter == b'e' {
            assert_eq!(wait_for(launched.app_pid), 0, "the App failed");
            done = now() - call;
        }
        let start = self.start.wait() - call;
        let gone = match letter {
            b'k' => 0,
            _ => self.end(&launched, letter == b'p'),
        };
        let (guard, app) = (launched.guard_pid, launched.app_pid);
        format!("{start} {done} {gone} {guard} {app}\n")
    }

    fn request(&self) -> Request<'_> {
        let mut overlays = [None; 16];
        for (slot, dir) in overlays.iter_mut().zip(&self.strings.overlays) {
            *slot = Some(dir.as_c_str());
        }
        Request {
            app_id: 1,
            uid: 1000,
            gid: 1000,
            package: &self.strings.package,
            exec_dir: &self.strings.exec_dir,
            data_dir: &self.strings.data_dir,
            overlays,
            data: self.launch.data,
            // As the others that it is compared with.
            seccomp: Seccomp::OFF,
            ..Request::DEFAULT
        }
    }

    fn call_back(&self, execute: bool) -> Launched {
        let app = App {
            start: self.start,
            program: &self.strings.program,
            execute,
        };
        let callback = Callback {
            function: begin,
            argument: (&raw const app).cast_mut().cast(),
        };
        // SAFETY: `begin` reads the App from its own copy of this frame; this process has one thread.
        let launched =
            unsafe { launch_callback(rocker_client::DEFAULT_SOCKET, &self.request(), callback) };
        launched.expect("a launch")
    }

    fn execute(&self, ends: bool) -> Launched {
        let argv: [*const c_char; 4] = if ends {
            [c"busybox".as_ptr(), c"true".as_ptr(), null(), null()]
        } else {
            [
                c"busybox".as_ptr(),
                c"sleep".as_ptr(),
                c"9999".as_ptr(),
                null(),
            ]
        };
        let program = Program {
            path: &self.strings.program,
            argv: argv.as_ptr(),
            envp: [null()].as_ptr(),
            search: None,
            keep: &[],
        };
        // SAFETY: both arrays end with a null pointer and live as long as this frame.
        let launched =
            unsafe { launch_program(rocker_client::DEFAULT_SOCKET, &self.request(), &program) };
        self.start.say();
        launched.expect("a launch")
    }

    /// Kills the guard, or lets it end if its App has; the time until the sandbox has gone. The package stays mounted in the
    /// master's cache.
    fn end(&self, launched: &Launched, kill: bool) -> i64 {
        let killed = now();
        if kill {
            // SAFETY: the guard lives as long as its App, which has not been waited for.
            unsafe { libc::kill(launched.guard_pid, libc::SIGKILL) };
            wait_for(launched.app_pid);
        }
        wait_for_end(launched.guard_pidfd.as_ref().expect("Linux 5.3").raw());
        now() - killed
    }
}

/// The App.
unsafe extern "C" fn begin(app: *mut c_void) -> c_int {
    // SAFETY: `call_back` passes a pointer to its App, which the fork has copied.
    let app = unsafe { &*app.cast::<App<'_>>() };
    app.start.say();
    if app.execute {
        let argv = [app.program.as_ptr(), c"true".as_ptr(), null()];
        // SAFETY: both arrays end with a null pointer.
        unsafe { libc::execve(app.program.as_ptr(), argv.as_ptr(), [null()].as_ptr()) };
        return 127;
    }
    loop {
        // SAFETY: no argument.
        unsafe { libc::pause() };
    }
}

fn c_string(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("no NUL")
}

fn wait_for(pid: i32) -> i32 {
    rocker_testing::wait_for(pid)
}
