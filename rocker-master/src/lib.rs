//! rocker-master, the daemon that makes sandboxes: one thread, one epoll.
//!
//! It accepts a client, checks who it is and what it asks ([`launch`](mod@launch) tells the story of one launch from top to
//! bottom), and calls a guard that does the work, a clone of its own ([`birth`]). It writes the guard's id maps, which takes
//! privileges that the guard has just left behind, and remembers the guard until the kernel says that it has ended. It never
//! waits for a client, a mount or a guard, and nothing that any of them sends or fails to send ends it.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod birth;
mod cache;
mod call;
#[cfg(feature = "policy")]
mod config;
#[cfg(not(feature = "policy"))]
#[path = "config/nothing.rs"]
mod config;
mod guard;
mod id_map;
mod kept;
mod kernel;
mod launch;
mod launcher;
mod listener;
mod log;
mod memory_pressure;
mod mount_namespace;
mod mount_table;
mod name;
mod options;
mod packet;
mod quota;
mod readiness;
mod refusal;
mod registry;
mod server;
#[cfg(feature = "exec")]
mod tenant;
#[cfg(not(feature = "exec"))]
#[path = "tenant/nothing.rs"]
mod tenant;
#[cfg(feature = "signatures")]
mod trust;
#[cfg(not(feature = "signatures"))]
#[path = "trust/nothing.rs"]
mod trust;
mod user_namespaces;
mod whereabouts;

use config::Config;
use core::ffi::CStr;
use listener::Listener;
use log::Line;
use mount_namespace::MountNamespace;
use options::{Options, Usage};
use registry::Registry;
use rocker_proto::Failure;
use rocker_sys::program::Program;
use rocker_sys::raw::general::O_RDWR;
use rocker_sys::signal::{SIGINT, SIGTERM};
use rocker_sys::{Errno, Result, credentials, fs, process};
use server::{Server, Sources};

/// Runs the daemon; gives its exit status: 0 after SIGTERM, 1 if it could not start, 2 for a mistake on the command line.
pub fn main(program: &Program) -> i32 {
    keep_standard_descriptors();
    let options = match Options::parse(
        program.arguments().skip(1),
        program.variable(b"ROCKER_SOCKET="),
    ) {
        Ok(options) => options,
        Err(Usage::Help) => return print(options::HELP),
        Err(Usage::Version) => {
            return print(concat!("rocker-master ", env!("CARGO_PKG_VERSION"), "\n"));
        }
        Err(Usage::Wrong(argument)) => {
            Line::new()
                .text("unknown or incomplete option ")
                .quoted(argument)
                .text("; try --help")
                .print();
            return 2;
        }
    };
    let config = match Config::load(&options) {
        Ok(config) => config,
        Err(status) => return status,
    };
    start(&options, config, program.variable(b"NOTIFY_SOCKET="))
}

/// The manager, which has started this, listens at that socket. Whatever is there when the daemon ends, the kernel takes.
fn start(options: &Options<'_>, config: Config<'_>, manager: Option<&CStr>) -> ! {
    let socket = options.socket;
    if credentials::effective_uid() != 0 {
        fail(
            "only root can make sandboxes; cannot serve",
            socket,
            Errno::EPERM,
        );
    }
    if options.die_with_parent {
        must(
            credentials::set_parent_death_signal(SIGTERM),
            "cannot serve",
            socket,
        );
    }
    let listener = Listener::open(socket, &config);
    let mounts = must(
        MountNamespace::enter(),
        "cannot make a mount namespace for",
        socket,
    );
    let sources = Sources::watch(&listener, &mounts, &[SIGTERM, SIGINT]);
    let sources = must(sources, "cannot serve", socket);
    let registry = must(Registry::new(), "cannot serve", socket);
    let mut server = Server::new(config, listener, mounts, sources, registry, options);
    match (options.notify_fd, manager) {
        (Some(fd), _) => readiness::write_line(fd),
        (None, Some(socket)) => readiness::send_datagram(socket).unwrap_or_default(),
        (None, None) => {}
    }
    must(server.run(), "stopped serving", socket);
    process::exit(0)
}

/// What the daemon cannot do without: it ends if that is not to be had.
fn must<T>(result: Result<T>, what: &str, socket: &CStr) -> T {
    match result {
        Ok(value) => value,
        Err(errno) => fail(what, socket, errno),
    }
}

#[cold]
#[inline(never)] // smaller by itself
fn fail(what: &str, socket: &CStr, errno: Errno) -> ! {
    Line::new()
        .text(what)
        .text(" ")
        .quoted(socket)
        .text(": ")
        .errno(errno.raw())
        .print();
    process::exit(1)
}

/// Fills 0 to 2 if they are closed: else a socket could get the number 2, and log lines would go to a client.
fn keep_standard_descriptors() {
    while let Ok(fd) = fs::open(c"/dev/null", O_RDWR) {
        if fd.raw() > 2 {
            return;
        }
        fd.into_raw();
    }
}

fn print(text: &str) -> i32 {
    // Whoever asked has gone.
    fs::write(1, text.as_bytes()).unwrap_or_default();
    0
}

impl Line {
    /// A failure's stage, index, path and errno, as every log line of a launch ends.
    fn failure(&mut self, failure: &Failure, path: Option<&CStr>) -> &mut Self {
        self.text(" stage=").text(failure.stage.name());
        if failure.index != rocker_proto::NO_INDEX {
            self.text("[").unsigned(failure.index.into()).text("]");
        }
        if let Some(path) = path {
            self.text(" path=").quoted(path);
        }
        self.text(" errno=").errno(failure.errno)
    }
}
