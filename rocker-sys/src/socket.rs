//! Unix sockets: but for one they are of type `SOCK_SEQPACKET`, packets with descriptors (`unix(7)`).
#![allow(unsafe_code)]

mod packet;

pub use packet::{DONT_WAIT, Descriptors, FDS_MAX, Received, peek, receive, receive_into, send};

use crate::arch::{syscall2, syscall3, syscall4, syscall5};
use crate::errno::{Errno, Result, done};
use crate::fd::{Fd, RawFd};
use crate::fs::NR_FCNTL;
use core::mem::{offset_of, zeroed};
use linux_raw_sys::general as g;
use linux_raw_sys::net as n;

/// `SOCK_SEQPACKET | SOCK_CLOEXEC`; `SOCK_CLOEXEC` is defined as `O_CLOEXEC` (include/linux/net.h).
const TYPE: u32 = n::SOCK_SEQPACKET | g::O_CLOEXEC;

/// Who is at the other end, as the kernel saw it (`SO_PEERCRED`, `SCM_CREDENTIALS`), in the terms of this process's own
/// namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Process id; 0 if it is not visible from here.
    pub pid: i32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

impl From<n::ucred> for Credentials {
    fn from(ucred: n::ucred) -> Self {
        Self {
            pid: ucred.pid.cast_signed(),
            uid: ucred.uid,
            gid: ucred.gid,
        }
    }
}

/// The address of a socket in the file system.
pub struct Address {
    name: n::sockaddr_un,
    len: usize,
}

impl core::fmt::Debug for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Address")
    }
}

impl Address {
    /// The address of this path.
    ///
    /// # Errors
    /// `ENAMETOOLONG` if it does not fit `sun_path` with its NUL, `EINVAL` if it is empty (which would autobind).
    pub fn new(path: &core::ffi::CStr) -> Result<Self> {
        let bytes = path.to_bytes_with_nul();
        let mut address = Self {
            // SAFETY: integers only; zeroes are NULs.
            name: unsafe { zeroed() },
            len: offset_of!(n::sockaddr_un, sun_path).wrapping_add(bytes.len()),
        };
        if bytes.len() < 2 {
            return Err(Errno::EINVAL);
        }
        if bytes.len() > address.name.sun_path.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        address.name.sun_family = n::AF_UNIX as u16;
        for (slot, byte) in address.name.sun_path.iter_mut().zip(bytes) {
            // c_char is signed on some architectures: the same eight bits.
            *slot = *byte as _;
        }
        Ok(address)
    }
}

/// A new unconnected socket (`socket(2)`).
pub fn new() -> Result<Fd> {
    of_type(TYPE)
}

/// A new unconnected socket of type `SOCK_DGRAM`.
pub fn datagram() -> Result<Fd> {
    of_type(n::SOCK_DGRAM | g::O_CLOEXEC)
}

fn of_type(kind: u32) -> Result<Fd> {
    // SAFETY: integers only.
    Fd::from_ret(unsafe { syscall3(g::__NR_socket, n::AF_UNIX as usize, kind as usize, 0) })
}

/// Two connected sockets (`socketpair(2)`).
pub fn pair() -> Result<(Fd, Fd)> {
    let mut fds = [-1; 2];
    let address = fds.as_mut_ptr() as usize;
    // SAFETY: the kernel writes two ints.
    done(unsafe {
        syscall4(
            g::__NR_socketpair,
            n::AF_UNIX as usize,
            TYPE as usize,
            0,
            address,
        )
    })?;
    // SAFETY: the kernel has just made this descriptor for us.
    let first = unsafe { Fd::from_raw(fds[0]) };
    // SAFETY: and this one.
    let second = unsafe { Fd::from_raw(fds[1]) };
    Ok((first, second))
}

/// `bind(2)`: makes the socket's file.
pub fn bind(socket: RawFd, address: &Address) -> Result<()> {
    let name = &raw const address.name;
    // SAFETY: the kernel reads `len` bytes of the address, which is no more than it has.
    done(unsafe { syscall3(g::__NR_bind, socket as usize, name as usize, address.len) })
}

/// `listen(2)`
pub fn listen(socket: RawFd, backlog: usize) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall2(g::__NR_listen, socket as usize, backlog) })
}

/// `connect(2)`; a full backlog is waited for up to the send timeout, then `EAGAIN`.
pub fn connect(socket: RawFd, address: &Address) -> Result<()> {
    let name = &raw const address.name;
    // SAFETY: the kernel reads `len` bytes of the address, which is no more than it has.
    done(unsafe { syscall3(g::__NR_connect, socket as usize, name as usize, address.len) })
}

/// The next connection (`accept4(2)`).
pub fn accept(socket: RawFd) -> Result<Fd> {
    // SAFETY: null pointers: no address is written.
    Fd::from_ret(unsafe {
        syscall4(
            g::__NR_accept4,
            socket as usize,
            0,
            0,
            g::O_CLOEXEC as usize,
        )
    })
}

/// Makes accept, connect and the like give up instead of waiting (`O_NONBLOCK`).
pub fn set_nonblocking(socket: RawFd) -> Result<()> {
    // SAFETY: integers only. A socket has no other status flag to lose.
    done(unsafe {
        syscall3(
            NR_FCNTL,
            socket as usize,
            g::F_SETFL as usize,
            g::O_NONBLOCK as usize,
        )
    })
}

fn set_option<T>(socket: RawFd, option: u32, value: &T) -> Result<()> {
    let level = n::SOL_SOCKET as usize;
    // SAFETY: the kernel reads `size_of::<T>()` bytes of the borrowed value.
    done(unsafe {
        syscall5(
            g::__NR_setsockopt,
            socket as usize,
            level,
            option as usize,
            core::ptr::from_ref(value) as usize,
            size_of::<T>(),
        )
    })
}

/// How long connect and send wait (`SO_SNDTIMEO`).
pub fn set_send_timeout(socket: RawFd, seconds: u32) -> Result<()> {
    // The old option takes longs on every architecture.
    let timeout: [isize; 2] = [seconds as isize, 0];
    set_option(socket, n::SO_SNDTIMEO_OLD, &timeout)
}

/// Asks the kernel to attach the sender's credentials to each packet that arrives from now on (`SO_PASSCRED`).
pub fn pass_credentials(socket: RawFd) -> Result<()> {
    set_option(socket, n::SO_PASSCRED, &1i32)
}

/// Who made the other end (`SO_PEERCRED`): for a connection, who called listen, or connect.
pub fn peer_credentials(socket: RawFd) -> Result<Credentials> {
    let mut ucred = n::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let mut len = size_of::<n::ucred>() as u32;
    // SAFETY: the kernel writes at most `len` bytes, one struct ucred, and the length.
    done(unsafe {
        syscall5(
            g::__NR_getsockopt,
            socket as usize,
            n::SOL_SOCKET as usize,
            n::SO_PEERCRED as usize,
            (&raw mut ucred) as usize,
            (&raw mut len) as usize,
        )
    })?;
    Ok(ucred.into())
}
