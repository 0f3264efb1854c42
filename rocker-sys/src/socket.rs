//! Unix sockets of type `SOCK_SEQPACKET`: packets with descriptors (`unix(7)`).
#![allow(unsafe_code)]

use crate::arch::{syscall2, syscall3, syscall4, syscall5};
use crate::errno::{Errno, Result, ret};
use crate::fd::{Fd, RawFd};
use core::mem::{offset_of, zeroed};
use linux_raw_sys::general as g;
use linux_raw_sys::net as n;

/// How many descriptors one packet may carry here.
pub const FDS_MAX: usize = 8;

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
        // SAFETY: integers only; zeroes are NULs.
        let mut name: n::sockaddr_un = unsafe { zeroed() };
        let bytes = path.to_bytes_with_nul();
        if bytes.len() < 2 {
            return Err(Errno::EINVAL);
        }
        if bytes.len() > name.sun_path.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        name.sun_family = n::AF_UNIX as u16;
        for (slot, byte) in name.sun_path.iter_mut().zip(bytes) {
            // c_char is signed on some architectures: the same eight bits.
            *slot = *byte as _;
        }
        Ok(Self {
            name,
            len: offset_of!(n::sockaddr_un, sun_path).wrapping_add(bytes.len()),
        })
    }
}

/// A new unconnected socket (`socket(2)`).
pub fn new() -> Result<Fd> {
    // SAFETY: integers only.
    Fd::from_ret(unsafe { syscall3(g::__NR_socket, n::AF_UNIX as usize, TYPE as usize, 0) })
}

/// Two connected sockets (`socketpair(2)`).
pub fn pair() -> Result<(Fd, Fd)> {
    let mut fds = [-1; 2];
    let address = fds.as_mut_ptr() as usize;
    // SAFETY: the kernel writes two ints.
    ret(unsafe {
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
    ret(unsafe { syscall3(g::__NR_bind, socket as usize, name as usize, address.len) })?;
    Ok(())
}

/// `listen(2)`
pub fn listen(socket: RawFd, backlog: usize) -> Result<()> {
    // SAFETY: integers only.
    ret(unsafe { syscall2(g::__NR_listen, socket as usize, backlog) })?;
    Ok(())
}

/// `connect(2)`; a full backlog is waited for up to the send timeout, then `EAGAIN`.
pub fn connect(socket: RawFd, address: &Address) -> Result<()> {
    let name = &raw const address.name;
    // SAFETY: the kernel reads `len` bytes of the address, which is no more than it has.
    ret(unsafe { syscall3(g::__NR_connect, socket as usize, name as usize, address.len) })?;
    Ok(())
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
    #[cfg(target_pointer_width = "64")]
    let number = g::__NR_fcntl;
    #[cfg(target_pointer_width = "32")]
    let number = g::__NR_fcntl64;
    // SAFETY: integers only. A socket has no other status flag to lose.
    ret(unsafe {
        syscall3(
            number,
            socket as usize,
            g::F_SETFL as usize,
            g::O_NONBLOCK as usize,
        )
    })?;
    Ok(())
}

fn set_option<T>(socket: RawFd, option: u32, value: &T) -> Result<()> {
    let level = n::SOL_SOCKET as usize;
    // SAFETY: the kernel reads `size_of::<T>()` bytes of the borrowed value.
    ret(unsafe {
        syscall5(
            g::__NR_setsockopt,
            socket as usize,
            level,
            option as usize,
            core::ptr::from_ref(value) as usize,
            size_of::<T>(),
        )
    })?;
    Ok(())
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
    ret(unsafe {
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

/// Room for the control messages of one packet: [`FDS_MAX`] descriptors and the sender's credentials, each behind a header
/// and aligned to a word, as `cmsg(3)` lays them out.
#[repr(C, align(8))]
struct Control([u8; Control::SIZE]);

impl Control {
    const HEADER: usize = size_of::<n::cmsghdr>();
    const RIGHTS: usize = Self::HEADER + FDS_MAX * 4;
    const SIZE: usize =
        Self::align(Self::RIGHTS) + Self::align(Self::HEADER + size_of::<n::ucred>());

    const fn align(len: usize) -> usize {
        len.wrapping_add(size_of::<usize>() - 1) & !(size_of::<usize>() - 1)
    }
}

/// One `SCM_RIGHTS` control message (`cmsg(3)`): the header is as long as a multiple of a word, so its data follow it.
#[repr(C)]
struct Rights {
    header: n::cmsghdr,
    fds: [RawFd; FDS_MAX],
}

/// Sends one packet with descriptors (`sendmsg(2)`). The descriptors stay the caller's.
///
/// # Errors
/// `EPIPE` or `ECONNRESET` if the peer is gone; no SIGPIPE is raised. `E2BIG` for more than [`FDS_MAX`] descriptors.
pub fn send(socket: RawFd, bytes: &[u8], fds: &[RawFd]) -> Result<()> {
    if fds.len() > FDS_MAX {
        return Err(Errno::E2BIG);
    }
    let rights_len = size_of::<n::cmsghdr>().wrapping_add(size_of_val(fds));
    let mut rights = Rights {
        header: n::cmsghdr {
            cmsg_len: rights_len as _,
            cmsg_level: n::SOL_SOCKET as i32,
            cmsg_type: n::SCM_RIGHTS as i32,
        },
        fds: [0; FDS_MAX],
    };
    for (slot, fd) in rights.fds.iter_mut().zip(fds) {
        *slot = *fd;
    }
    let mut iov = g::iovec {
        iov_base: bytes.as_ptr() as *mut _,
        iov_len: bytes.len() as _,
    };
    // SAFETY: integers and pointers, for which zero is a value.
    let mut message: n::msghdr = unsafe { zeroed() };
    message.msg_iov = (&raw mut iov).cast();
    message.msg_iovlen = 1;
    if !fds.is_empty() {
        message.msg_control = (&raw mut rights).cast();
        message.msg_controllen = rights_len as _;
    }
    let address = (&raw const message) as usize;
    loop {
        // SAFETY: the kernel reads the header, the bytes and the control message, which all outlive the call.
        match ret(unsafe {
            syscall3(
                g::__NR_sendmsg,
                socket as usize,
                address,
                n::MSG_NOSIGNAL as usize,
            )
        }) {
            Err(Errno::EINTR) => {}
            result => return result.map(drop),
        }
    }
}

/// One packet.
#[derive(Debug, Default)]
pub struct Received {
    /// How many bytes of the buffer it filled; 0 is the end of the connection.
    pub len: usize,
    /// The descriptors that came with it, in the order in which they were sent.
    pub fds: [Option<Fd>; FDS_MAX],
    /// Who sent it, if [`pass_credentials`] was set.
    pub sender: Option<Credentials>,
}

/// Receives one packet (`recvmsg(2)`); waits for it unless `MSG_DONTWAIT` is among the flags.
///
/// # Errors
/// `EMSGSIZE` if it did not fit, or brought more descriptors than were expected: what came is closed. `EAGAIN`.
pub fn receive(socket: RawFd, buffer: &mut [u8], flags: u32) -> Result<Received> {
    let mut control = Control([0; Control::SIZE]);
    let mut iov = g::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len() as _,
    };
    // SAFETY: integers and pointers, for which zero is a value.
    let mut message: n::msghdr = unsafe { zeroed() };
    message.msg_iov = (&raw mut iov).cast();
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = Control::SIZE as _;
    let address = (&raw mut message) as usize;
    let flags = flags | n::MSG_CMSG_CLOEXEC;
    let len = loop {
        // SAFETY: the kernel writes the header, at most the buffer's length and at most the control buffer's length, all
        // of them exclusively borrowed.
        match ret(unsafe { syscall3(g::__NR_recvmsg, socket as usize, address, flags as usize) }) {
            Err(Errno::EINTR) => {}
            result => break result?,
        }
    };
    let filled = control
        .0
        .get(..message.msg_controllen as usize)
        .unwrap_or_default();
    let received = read_control(filled, len);
    if message.msg_flags & (n::MSG_TRUNC | n::MSG_CTRUNC) != 0 {
        return Err(Errno::EMSGSIZE);
    }
    Ok(received)
}

/// `MSG_DONTWAIT` of `recv(2)`.
pub const DONT_WAIT: u32 = n::MSG_DONTWAIT;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.wrapping_add(4))?;
    Some(u32::from_ne_bytes(four.try_into().ok()?))
}

/// Takes the control messages apart. Every descriptor that the kernel installed ends up in an [`Fd`], so none can leak.
fn read_control(mut control: &[u8], len: usize) -> Received {
    let mut received = Received {
        len,
        ..Received::default()
    };
    let mut slots = received.fds.iter_mut();
    while let Some(length) = control.get(..size_of::<usize>()) {
        let length = length.try_into().map_or(0, usize::from_ne_bytes);
        let kind = word(control, size_of::<usize>() + 4);
        let Some(data) = control.get(Control::HEADER..length) else {
            break;
        };
        if kind == Some(n::SCM_RIGHTS) {
            for (number, slot) in data.chunks_exact(4).zip(&mut slots) {
                // SAFETY: the kernel has just installed this descriptor here, and each is read once.
                *slot = word(number, 0).map(|fd| unsafe { Fd::from_raw(fd.cast_signed()) });
            }
        } else if kind == Some(n::SCM_CREDENTIALS) {
            received.sender = credentials_from(data);
        }
        control = control.get(Control::align(length)..).unwrap_or_default();
    }
    received
}

fn credentials_from(data: &[u8]) -> Option<Credentials> {
    Some(Credentials {
        pid: word(data, 0)?.cast_signed(),
        uid: word(data, 4)?,
        gid: word(data, 8)?,
    })
}
