//! `rocker`, the on-device command: run a package in a sandbox, and say what a kernel can do.
//!
//! Like the master it is a static program without libc, for devices on which every kilobyte counts. Its exit status is the
//! App's (128 and the signal's number if one ended it), or 125 if Rocker itself failed, 126 and 127 if the program could not
//! be executed or was not found, as shells and container engines have it; 2 for a mistake on the command line.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

mod cache;
mod check;
mod exec;
mod explain;
mod message;
mod options;
mod own_master;
mod paths;
mod probe_image;
mod probes;
mod run;
mod sandbox;
mod scratch;
mod signals;
mod supervise;

use core::ffi::CStr;
use message::{print, report};
use rocker_sys::program::Program;
use rocker_sys::raw::general::O_RDWR;
use rocker_sys::{fs, is};

/// Exit status for a mistake on the command line.
const USAGE: i32 = 2;
/// Exit status if Rocker itself failed, and not the App.
const FAILED: i32 = 125;

const HELP: &str = "\
rocker: run Apps straight from compressed packages, in sandboxes

usage: rocker run PACKAGE [options] [--] COMMAND [ARGUMENTS...]
       rocker exec [--socket PATH] GUARD [--] COMMAND [ARGUMENTS...]
       rocker check [--config [FILE]]
       rocker cache [drop] [--socket PATH]
       rocker --help | --version

rocker run mounts PACKAGE (a squashfs or erofs image, made by rocker-pack) and runs
COMMAND in a new sandbox: its own mounts, processes, IPC and host name, no privileges.
When COMMAND ends, so does whatever it has left running, and rocker with COMMAND's exit
status. COMMAND without a slash is looked up in $PATH as the sandbox sees it; with a
relative path it starts at /. The package is at $ROCKER_EXEC_DIR.

  --uid N, --gid N   who COMMAND is (65534, nobody)
  --exec-dir DIR     where the package is mounted (/run/rocker/app)
  --data-dir DIR     where COMMAND's changes to the overlaid directories are kept;
                     without it they are thrown away at the end
  --overlay DIR      a directory that COMMAND may change without the host's seeing it;
                     up to 16 times. None: every top-level directory but /proc, /sys,
                     /dev and /run
  --no-overlays      nothing is overlaid: COMMAND has the host's own files, as far as
                     --uid may read and write them
  --data MODE        where the changes live while COMMAND runs: disk, in the data
                     directory, the default; tmpfs, in memory, thrown away at the end;
                     volatile, in the data directory, but COMMAND's fsync does nothing,
                     and a power cut may damage or lose them
  --data-size SIZE   how large a tmpfs may become: 512K, 16M, 1G (4M)
  --seccomp FILTER   which system calls COMMAND may make: default; strict, what a plain
                     server needs; off; or a policy file as of minijail, by its path
  --seccomp-log      let through what FILTER refuses, and report it in the kernel's log
  --network NETWORK  host, the default; or none, a loopback and nothing else
  --app-id N         a number for the master's log (1)
  --socket PATH      where the master is ($ROCKER_SOCKET, /run/rocker/master.sock).
                     If none runs there, root gets one of its own for this run

rocker exec, as root, runs COMMAND in the sandbox of the guard of this name, as the
App's user and behind its filter, until COMMAND or the sandbox ends.

rocker check, as root, tries everything that Rocker wants of this kernel, and says
what is missing and what that costs. It changes nothing. Exit status 1: something is
MISSING that Rocker cannot do without; 125: nothing could be tried. With --config it
says what is wrong with the file that says who may ask the master for what
(/etc/rocker/rocker.conf), and where; then exit status 1.

rocker cache lists the packages that the master keeps mounted, with how many sandboxes
use each; `drop` unmounts those that none uses.

Exit status of run: COMMAND's; 128+N if signal N ended it; 125 if the sandbox could
not be made, 126 and 127 if COMMAND could not be executed or was not found, 2 for a
mistake on the command line.
";

/// Runs the command; gives its exit status.
pub fn main(program: &Program) -> i32 {
    keep_standard_descriptors();
    let command = program
        .arguments()
        .nth(1)
        .map(|argument| argument.to_bytes());
    match command {
        Some(it) if is(it, "run") => run::run(program),
        Some(it) if is(it, "exec") => exec::exec(program),
        Some(it) if is(it, "cache") => cache::cache(program),
        Some(it) if is(it, "check") => check::check(program),
        Some(it) if is(it, "--help") || is(it, "-h") || is(it, "help") => print(&[HELP.as_bytes()]),
        Some(it) if is(it, "--version") => {
            print(&[b"rocker ", env!("CARGO_PKG_VERSION").as_bytes(), b"\n"])
        }
        Some(other) => {
            report(&[b"no such command: ", other, b"; try rocker --help"]);
            USAGE
        }
        None => {
            report(&[options::WHAT]);
            USAGE
        }
    }
}

/// Where the master is if no option says.
fn default_socket(program: &Program) -> &'static CStr {
    let named = program.variable(b"ROCKER_SOCKET=");
    named.unwrap_or(rocker_client::DEFAULT_SOCKET)
}

/// Fills 0 to 2 if they are closed: else something of this command's own could get such a number, and the App with it.
fn keep_standard_descriptors() {
    while let Ok(fd) = fs::open(c"/dev/null", O_RDWR) {
        if fd.raw() > 2 {
            return;
        }
        fd.into_raw();
    }
}
