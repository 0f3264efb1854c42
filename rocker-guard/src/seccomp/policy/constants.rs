//! Constants that policies name.

use rocker_sys::position;
use rocker_sys::raw::{general as g, ioctl as i, net as n, prctl as p};

macro_rules! constants {
    ($($from:ident: $($name:ident)*;)*) => {
        const NAMES: &str = concat!($($(stringify!($name), " "),*),*);
        const VALUES: &[u32] = &[$($($from::$name as u32),*),*];
    };
}

// Those that minijail's own policies use most. The rest is written as a number.
constants! {
    g: PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS;
    g: O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_NONBLOCK O_CLOEXEC O_DIRECTORY;
    g: F_GETFD F_SETFD F_GETFL F_SETFL F_DUPFD_CLOEXEC CLONE_VM CLONE_THREAD;
    n: AF_UNIX AF_INET AF_INET6 AF_NETLINK;
    i: TCGETS TIOCGWINSZ FIONREAD FIONBIO;
    p: PR_SET_NAME PR_SET_VMA;
}

/// The value of a constant.
pub(crate) fn value_of(name: &[u8]) -> Option<u32> {
    VALUES.get(position(NAMES, name)?).copied()
}
