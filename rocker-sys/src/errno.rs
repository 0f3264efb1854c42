//! `Errno`: why the kernel refused.

use core::num::NonZeroI32;
use linux_raw_sys::errno as raw;

/// What a system call gives: its value, or why not.
pub type Result<T> = core::result::Result<T, Errno>;

/// An error number of the kernel, as in `errno(3)`.
///
/// Constants and not an enum: the number may come from a newer kernel, or from another process. It is kept as a system call
/// leaves it, negative, and so never 0: a `Result<()>` is the very value that came back, in one register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Errno(NonZeroI32);

/// One table, from which the constants and their names are made.
macro_rules! errnos {
    ($($name:ident)*) => {
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "`, see `errno(3)`.")]
                pub const $name: Errno = Errno::from_raw(raw::$name as i32);
            )*

            /// The symbolic name, or `E?` for a number that is not in the table.
            pub fn name(self) -> &'static str {
                let known = Self::NUMBERS.iter().position(|number| i32::from(*number) == self.raw());
                known.and_then(|position| Self::NAMES.split_ascii_whitespace().nth(position)).unwrap_or("E?")
            }

            /// The error of this symbolic name, if it is in the table.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                Self::NUMBERS.get(crate::position(Self::NAMES, name)?).map(|number| Self::from_raw((*number).into()))
            }

            // One text and one list of numbers. A `match` becomes a table with a pointer and a length for every number up to
            // the highest, used or not: four times as much. Split by bytes, because a search for a `char` brings a check
            // that can panic.
            const NUMBERS: &[u16] = &[$(raw::$name as u16),*];
            const NAMES: &str = concat!($(stringify!($name), " "),*);
        }
    };
}

errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
    ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY EFBIG ENOSPC EROFS EMLINK EPIPE ERANGE ENAMETOOLONG
    ENOSYS ELOOP ENODATA EPROTO EBADMSG EOVERFLOW EUSERS ENOTSOCK EMSGSIZE EOPNOTSUPP EADDRINUSE ECONNRESET ENOBUFS
    ETIMEDOUT ECONNREFUSED EALREADY ESTALE EDQUOT EMEDIUMTYPE ECANCELED ETXTBSY ENOKEY EKEYREJECTED
}

impl Errno {
    /// The largest error number that a system call returns (`MAX_ERRNO` of `include/linux/err.h`).
    const MAX: usize = 4095;

    /// The error with this number. 0 is none: it becomes one that nobody knows.
    pub const fn from_raw(number: i32) -> Self {
        match NonZeroI32::new(number.wrapping_neg()) {
            Some(negative) => Self(negative),
            None => Self(NonZeroI32::MIN),
        }
    }

    /// The number.
    pub const fn raw(self) -> i32 {
        self.0.get().wrapping_neg()
    }
}

impl From<Errno> for i32 {
    fn from(errno: Errno) -> Self {
        errno.raw()
    }
}

/// Decodes what a system call left in its return register: `-4095..=-1` are errors, everything else is a value.
#[inline]
pub(crate) fn ret(value: usize) -> Result<usize> {
    if value.wrapping_neg().wrapping_sub(1) < Errno::MAX {
        return done(value).map(|()| value);
    }
    Ok(value)
}

/// Decodes what a system call left whose only value is 0.
#[inline]
pub(crate) fn done(value: usize) -> Result<()> {
    // Errors are small: the lower half of the register holds them.
    match NonZeroI32::new(value as i32) {
        None => Ok(()),
        Some(negative) => Err(Errno(negative)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_the_last_4095_values() {
        assert_eq!(ret(0), Ok(0));
        assert_eq!(ret(7), Ok(7));
        assert_eq!(ret(usize::MAX), Err(Errno::EPERM));
        assert_eq!(ret(usize::MAX - 21), Err(Errno::EINVAL));
        assert_eq!(ret(usize::MAX - 4094), Err(Errno::from_raw(4095)));
        assert_eq!(ret(usize::MAX - 4095), Ok(usize::MAX - 4095));
    }

    #[test]
    fn names_are_the_kernel_s() {
        assert_eq!(Errno::EPERM.name(), "EPERM");
        assert_eq!(Errno::EINVAL.name(), "EINVAL");
        assert_eq!(Errno::ECANCELED.name(), "ECANCELED");
        assert_eq!(Errno::from_raw(4000).name(), "E?");
        assert_eq!(Errno::from_name(b"EPERM"), Some(Errno::EPERM));
        assert_eq!(Errno::from_name(b"ECANCELED"), Some(Errno::ECANCELED));
        for name in [&b"EPER"[..], b"E?", b"EPERM "] {
            assert_eq!(Errno::from_name(name), None);
        }
    }
}
