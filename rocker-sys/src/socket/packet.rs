//! One packet with its descriptors and its sender.
#![allow(unsafe_code)]

use super::Credentials;
use crate::arch::{syscall3, syscall6};
use crate::errno::{Errno, Result, ret};
use crate::fd::{Fd, RawFd};
use core::mem::zeroed;
use linux_raw_sys::general as g;
use linux_raw_sys::net as n;

/// How many descriptors one packet may carry here.
pub const FDS_MAX: usize = 8;

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

/// Descriptors that came with a packet, in the order in which they were sent. What nobody takes is closed.
#[derive(Debug, Default)]
pub struct Descriptors {
    numbers: [RawFd; FDS_MAX],
    taken: usize,
    len: usize,
}

impl Descriptors {
    /// Takes ownership of one; closes it if there is no room.
    fn put(&mut self, fd: Fd) -> bool {
        let Some(slot) = self.numbers.get_mut(self.len) else {
            return false;
        };
        *slot = fd.into_raw();
        self.len = self.len.wrapping_add(1);
        true
    }
}

impl Iterator for Descriptors {
    type Item = Fd;

    fn next(&mut self) -> Option<Fd> {
        let number = *self.numbers.get(self.taken..self.len)?.first()?;
        self.taken = self.taken.wrapping_add(1);
        // SAFETY: `put` was given it to own, and it is taken out once.
        Some(unsafe { Fd::from_raw(number) })
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// One packet.
#[derive(Debug, Default)]
pub struct Received {
    /// How many bytes of the buffer it filled; 0 is the end of the connection.
    pub len: usize,
    /// The descriptors that came with it.
    pub fds: Descriptors,
    /// Who sent it, if [`pass_credentials`](super::pass_credentials) was set.
    pub sender: Option<Credentials>,
}

/// Receives one packet (`recvmsg(2)`); waits for it unless `MSG_DONTWAIT` is among the flags.
///
/// # Errors
/// `EMSGSIZE` if it did not fit, or brought more descriptors than were expected: what came is closed. `EAGAIN`.
pub fn receive(socket: RawFd, buffer: &mut [u8], flags: u32) -> Result<Received> {
    let mut fds = Descriptors::default();
    let (len, sender) = receive_into(socket, buffer, flags, &mut |fd| fds.put(fd))?;
    Ok(Received { len, fds, sender })
}

/// As [`receive`], for who has a place for the descriptors: `put` gets each, and says whether there was room for it. Gives
/// how many bytes came, and from whom.
///
/// # Errors
/// As [`receive`], but that what was put stays where it is.
pub fn receive_into(
    socket: RawFd,
    buffer: &mut [u8],
    flags: u32,
    put: &mut dyn FnMut(Fd) -> bool,
) -> Result<(usize, Option<Credentials>)> {
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
    let mut sender = None;
    let all_fit = read_control(filled, put, &mut sender);
    if !all_fit || message.msg_flags & (n::MSG_TRUNC | n::MSG_CTRUNC) != 0 {
        return Err(Errno::EMSGSIZE);
    }
    Ok((len, sender))
}

/// `MSG_DONTWAIT` of `recv(2)`.
pub const DONT_WAIT: u32 = n::MSG_DONTWAIT;

/// Looks at the packet that is there, which stays for whoever receives it next (`recvfrom(2)`, `MSG_PEEK`); gives how much of
/// it fits the buffer.
///
/// # Errors
/// `EAGAIN`.
pub fn peek(socket: RawFd, buffer: &mut [u8]) -> Result<usize> {
    let flags = n::MSG_PEEK | n::MSG_DONTWAIT;
    let (address, len) = (buffer.as_mut_ptr() as usize, buffer.len());
    // SAFETY: the kernel writes at most the buffer's length, and no address, for which there is no place.
    ret(unsafe {
        syscall6(
            g::__NR_recvfrom,
            socket as usize,
            address,
            len,
            flags as usize,
            0,
            0,
        )
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.wrapping_add(4))?;
    Some(u32::from_ne_bytes(four.try_into().ok()?))
}

/// Takes the control messages apart. Every descriptor that the kernel installed ends up in an [`Fd`], so none can leak,
/// also if there are more than slots: a packet without credentials leaves their room to descriptors. Says whether all
/// had one.
fn read_control(
    mut control: &[u8],
    put: &mut dyn FnMut(Fd) -> bool,
    sender: &mut Option<Credentials>,
) -> bool {
    let mut all_fit = true;
    while let Some(length) = control.get(..size_of::<usize>()) {
        let length = length.try_into().map_or(0, usize::from_ne_bytes);
        let kind = word(control, size_of::<usize>() + 4);
        let Some(data) = control.get(Control::HEADER..length) else {
            break;
        };
        if kind == Some(n::SCM_RIGHTS) {
            for number in data.chunks_exact(4) {
                // Four bytes are a word.
                let Some(number) = word(number, 0) else {
                    continue;
                };
                // SAFETY: the kernel has just installed this descriptor here, and each is read once.
                let fd = unsafe { Fd::from_raw(number.cast_signed()) };
                all_fit &= put(fd);
            }
        } else if kind == Some(n::SCM_CREDENTIALS) {
            *sender = credentials_from(data);
        }
        control = control.get(Control::align(length)..).unwrap_or_default();
    }
    all_fit
}

fn credentials_from(data: &[u8]) -> Option<Credentials> {
    Some(Credentials {
        pid: word(data, 0)?.cast_signed(),
        uid: word(data, 4)?,
        gid: word(data, 8)?,
    })
}
