//! Telling whoever started the daemon that clients are heard now. Nobody may be listening any more, which is no reason not
//! to serve.

use core::ffi::CStr;
use rocker_sys::socket::{self, Address};
use rocker_sys::{Fd, Result, fs};

/// By a newline, then the end, on this descriptor: the convention of s6.
#[allow(unsafe_code)]
pub(crate) fn write_line(fd: i32) {
    // SAFETY: the caller of the program gave us this descriptor for this purpose; nothing else here owns it.
    let fd = unsafe { Fd::from_raw(fd) };
    fs::write(fd.raw(), b"\n").unwrap_or_default();
}

/// By a datagram to the socket of `$NOTIFY_SOCKET`: the convention of systemd (`sd_notify(3)`). Its own is in the file system,
/// and others are not written to.
pub(crate) fn send_datagram(path: &CStr) -> Result<()> {
    let address = Address::new(path)?;
    let socket = socket::datagram()?;
    socket::connect(socket.raw(), &address)?;
    socket::send(socket.raw(), b"READY=1", &[])
}
