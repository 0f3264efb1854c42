//! `Peer`: a client that sends what it likes.

use crate::patience;
use rocker_client::Failure;
use rocker_proto::Reply;
use std::io::{Error, Result};
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;
use std::time::Duration;

/// Where the case's master listens.
pub const SOCKET: &str = "/run/rocker/master.sock";

/// A connection to the master, or to whoever sits at its address.
pub struct Peer(OwnedFd);

impl Peer {
    /// Connects to the usual address.
    pub fn connect() -> Result<Self> {
        let peer = Self::new();
        let (address, len) = address_of(SOCKET);
        // SAFETY: the kernel reads one address of the length that goes with it.
        let done = unsafe { libc::connect(peer.raw(), (&raw const address).cast(), len) };
        if done == 0 {
            Ok(peer)
        } else {
            Err(Error::last_os_error())
        }
    }

    /// Listens at an address, as a master would.
    pub fn listen(path: &str) -> Self {
        let peer = Self::new();
        let (address, len) = address_of(path);
        // SAFETY: the kernel reads one address of the length that goes with it.
        let bound = unsafe { libc::bind(peer.raw(), (&raw const address).cast(), len) };
        assert_eq!(bound, 0, "bind: {}", Error::last_os_error());
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::listen(peer.raw(), 8) }, 0);
        peer
    }

    /// The next client of one that listens.
    pub fn accept(&self) -> Self {
        // SAFETY: the null pointers stand for an address that nobody wants.
        let fd = unsafe { libc::accept(self.raw(), null_mut(), null_mut()) };
        assert!(fd >= 0, "accept: {}", Error::last_os_error());
        // SAFETY: the kernel made it just now.
        Self(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn new() -> Self {
        // SAFETY: integers only.
        let fd =
            unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0) };
        assert!(fd >= 0, "socket: {}", Error::last_os_error());
        // SAFETY: the kernel made it just now.
        Self(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn raw(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Sends one packet.
    pub fn send(&self, packet: &[u8]) -> Result<()> {
        self.send_with(packet, 0)
    }

    /// Sends one packet with this many descriptors.
    pub fn send_with(&self, packet: &[u8], descriptors: usize) -> Result<()> {
        let bytes = descriptors * size_of::<i32>();
        // SAFETY: arithmetic only.
        let space = unsafe { libc::CMSG_SPACE(bytes.try_into().unwrap()) } as usize;
        // As usizes, so that it is aligned for a header.
        let mut control = vec![0usize; space.div_ceil(size_of::<usize>())];
        let mut iov = libc::iovec {
            iov_base: packet.as_ptr().cast_mut().cast(),
            iov_len: packet.len(),
        };
        // SAFETY: integers and pointers, for which zero is a value.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = &raw mut iov;
        message.msg_iovlen = 1;
        if descriptors > 0 {
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = space as _;
            self.attach(&message, descriptors, bytes);
        }
        // SAFETY: the kernel reads the header, the packet and the control message, all of which live here.
        let sent = unsafe { libc::sendmsg(self.raw(), &raw const message, libc::MSG_NOSIGNAL) };
        if sent >= 0 {
            Ok(())
        } else {
            Err(Error::last_os_error())
        }
    }

    /// This socket's own descriptor, many times over.
    fn attach(&self, message: &libc::msghdr, descriptors: usize, bytes: usize) {
        // SAFETY: the control buffer has room for a header.
        let header = unsafe { libc::CMSG_FIRSTHDR(message) };
        // SAFETY: arithmetic only.
        let len = unsafe { libc::CMSG_LEN(bytes.try_into().unwrap()) } as usize;
        // SAFETY: integers only, for which zero is a value.
        let mut content: libc::cmsghdr = unsafe { zeroed() };
        content.cmsg_len = len as _;
        content.cmsg_level = libc::SOL_SOCKET;
        content.cmsg_type = libc::SCM_RIGHTS;
        // SAFETY: the header lies in the control buffer, which is aligned for it.
        unsafe { header.write(content) };
        // SAFETY: the data follow the header.
        let data = unsafe { libc::CMSG_DATA(header) }.cast::<i32>();
        for index in 0..descriptors {
            // SAFETY: the buffer was made for this many.
            let slot = unsafe { data.add(index) };
            // SAFETY: as above.
            unsafe { slot.write_unaligned(self.raw()) };
        }
    }

    /// The next packet, empty at the end of the connection; fails after `limit`, times [`patience()`].
    pub fn receive(&self, limit: Duration) -> Vec<u8> {
        let limit = limit * patience();
        let mut poll = libc::pollfd {
            fd: self.raw(),
            events: libc::POLLIN,
            revents: 0,
        };
        let milliseconds = limit.as_millis().try_into().unwrap();
        // SAFETY: one structure, written by the kernel.
        let ready = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
        assert_eq!(ready, 1, "no answer within {limit:?}");
        let mut bytes = vec![0; 8192];
        // A master that hangs up with a packet unread resets the connection: the kernel says so once, ahead of the answer.
        for _ in 0..2 {
            // SAFETY: the kernel writes at most the buffer's length.
            let len = unsafe { libc::recv(self.raw(), bytes.as_mut_ptr().cast(), bytes.len(), 0) };
            if len >= 0 {
                bytes.truncate(len.cast_unsigned());
                return bytes;
            }
        }
        Vec::new()
    }

    /// What the master refused; `None` if it hung up without a word, or did not refuse.
    pub fn refusal(&self, limit: Duration) -> Option<Failure> {
        Reply::decode(&self.receive(limit))?.outcome.err()
    }

    /// Sends no more (`SHUT_WR`), or receives no more (`SHUT_RD`).
    pub fn shut_down(&self, how: i32) {
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::shutdown(self.raw(), how) }, 0);
    }

    /// The process at the other end when the connection was made.
    pub fn peer_pid(&self) -> i32 {
        let mut credentials = libc::ucred {
            pid: 0,
            uid: 0,
            gid: 0,
        };
        let mut len = size_of::<libc::ucred>().try_into().unwrap();
        // SAFETY: the kernel writes one structure of the length that goes with it.
        let done = unsafe {
            libc::getsockopt(
                self.raw(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut credentials).cast(),
                &raw mut len,
            )
        };
        assert_eq!(done, 0, "SO_PEERCRED: {}", Error::last_os_error());
        credentials.pid
    }
}

fn address_of(path: &str) -> (libc::sockaddr_un, libc::socklen_t) {
    // SAFETY: integers only, for which zero is a value.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX.try_into().unwrap();
    assert!(path.len() < address.sun_path.len());
    for (slot, byte) in address.sun_path.iter_mut().zip(path.bytes()) {
        *slot = byte as libc::c_char;
    }
    (address, size_of::<libc::sockaddr_un>().try_into().unwrap())
}
