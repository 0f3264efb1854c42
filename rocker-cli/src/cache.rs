//! `rocker cache`: which packages a master keeps mounted, and letting go of those that nobody uses.

use crate::explain::explain_about;
use crate::message::{print, report};
use crate::{FAILED, USAGE, default_socket};
use core::ffi::CStr;
use rocker_client::{CacheReply, CacheRequest, ask_cache};
use rocker_sys::program::Program;
use rocker_sys::{Decimal, is};

pub(crate) fn cache(program: &Program) -> i32 {
    let mut arguments = program.arguments().skip(2);
    let mut request = CacheRequest::List;
    let mut socket = default_socket(program);
    while let Some(argument) = arguments.next() {
        match argument.to_bytes() {
            it if is(it, "drop") => request = CacheRequest::Drop,
            it if is(it, "--socket") => match arguments.next() {
                Some(path) => socket = path,
                None => return mistake(b"--socket wants a value", c""),
            },
            _ => return mistake(b"no such argument of cache: ", argument),
        }
    }
    match ask_cache(socket, request, show) {
        Ok(dropped) if request == CacheRequest::Drop => {
            let dropped = Decimal::of(dropped);
            print(&[dropped.as_bytes(), b" unmounted\n"])
        }
        Ok(_) => 0,
        Err(failure) => {
            explain_about(&failure, socket);
            FAILED
        }
    }
}

fn mistake(what: &[u8], argument: &CStr) -> i32 {
    report(&[what, argument.to_bytes(), b"; try rocker --help"]);
    USAGE
}

/// `PATH  used by 2` or `PATH  idle for 7 s`.
fn show(entry: &CacheReply<'_>) {
    let path = entry.package.unwrap_or_default().to_bytes();
    let users = Decimal::of(entry.users);
    let seconds = Decimal::of(entry.idle_ms / 1000);
    if entry.users > 0 {
        print(&[path, b"  used by ", users.as_bytes(), b"\n"]);
    } else {
        print(&[path, b"  idle for ", seconds.as_bytes(), b" s\n"]);
    }
}
