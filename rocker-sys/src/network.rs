//! Network interfaces.
#![allow(unsafe_code)]

use crate::arch::syscall3;
use crate::errno::{Result, done};
use crate::socket;
use linux_raw_sys::general as g;
use linux_raw_sys::ioctl::SIOCSIFFLAGS;
use linux_raw_sys::net as n;

/// The layout of `struct ifreq` as `SIOCSIFFLAGS` reads it (`netdevice(7)`): a name, then the flags, in a union of 24 bytes,
/// or 16 where pointers are short.
#[repr(C)]
struct InterfaceFlags {
    name: [u8; n::IFNAMSIZ as usize],
    flags: u16,
    rest: [u16; 11],
}

/// Brings up the loopback of this process's network namespace, which a new one has down.
pub fn bring_up_loopback() -> Result<()> {
    // Of whatever kind: each leads to its namespace, and this one takes no CONFIG_INET.
    let socket = socket::new()?;
    let mut request = InterfaceFlags {
        name: [0; n::IFNAMSIZ as usize],
        flags: n::net_device_flags::IFF_UP as u16,
        rest: [0; 11],
    };
    let [l, o, ..] = &mut request.name;
    (*l, *o) = (b'l', b'o');
    // SAFETY: the kernel reads one struct ifreq, and `request` is as large.
    done(unsafe {
        syscall3(
            g::__NR_ioctl,
            socket.raw() as usize,
            SIOCSIFFLAGS as usize,
            (&raw const request) as usize,
        )
    })
}
