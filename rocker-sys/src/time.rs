//! Clocks and waiting for descriptors, with 64-bit time on 32-bit machines too.
#![allow(unsafe_code)]

#[cfg(target_pointer_width = "32")]
use crate::OLD_KERNELS;
use crate::arch::{syscall2, syscall5};
use crate::errno::{Errno, Result, ret};
use crate::fd::RawFd;
use core::ptr;
use linux_raw_sys::general as g;

/// Milliseconds of `CLOCK_MONOTONIC`. Only differences mean anything.
pub fn monotonic_ms() -> u64 {
    clock_ms(g::CLOCK_MONOTONIC)
}

/// Microseconds of `CLOCK_MONOTONIC`. Only differences mean anything.
pub fn monotonic_us() -> u64 {
    let (seconds, nanoseconds) = clock(g::CLOCK_MONOTONIC);
    let (microseconds, _) = thousandths(nanoseconds);
    seconds
        .wrapping_mul(1_000_000)
        .wrapping_add(microseconds.into())
}

fn clock_ms(id: u32) -> u64 {
    let (seconds, nanoseconds) = clock(id);
    let milliseconds = millionths(nanoseconds);
    seconds
        .wrapping_mul(1_000)
        .wrapping_add(milliseconds.into())
}

/// Not every ARM can divide: there a division is a function of 200 bytes, and these are multiplications by the divisor's
/// inverse (Hacker's Delight, 10-9). Elsewhere those are the larger ones.
const MULTIPLIES: bool = cfg!(target_arch = "arm");

/// A number below 2^30 in millionths, rounded down.
fn millionths(number: u32) -> u32 {
    if MULTIPLIES {
        by_inverse(number, 0x431b_de83, 50)
    } else {
        number / 1_000_000
    }
}

/// In thousandths, rounded down, and what is left.
fn thousandths(number: u32) -> (u32, u32) {
    if MULTIPLIES {
        let quotient = by_inverse(number, 0x1062_4dd3, 38);
        (quotient, number.wrapping_sub(quotient.wrapping_mul(1_000)))
    } else {
        (number / 1_000, number % 1_000)
    }
}

fn by_inverse(number: u32, inverse: u32, shift: u32) -> u32 {
    (u64::from(number).wrapping_mul(inverse.into()) >> shift) as u32
}

/// Seconds and nanoseconds. The latter are below 2^30, and so they are told: to divide 64 bits takes a kilobyte of code on
/// machines of 32.
#[cfg(target_pointer_width = "64")]
fn clock(id: u32) -> (u64, u32) {
    let mut now = [0u64; 2];
    // SAFETY: the kernel writes one struct timespec, two 64-bit longs, which is what `now` is. The monotonic clock cannot
    // fail (clock_gettime(2)).
    unsafe {
        syscall2(
            g::__NR_clock_gettime,
            id as usize,
            now.as_mut_ptr() as usize,
        )
    };
    (now[0], now[1] as u32)
}

#[cfg(target_pointer_width = "32")]
fn clock(id: u32) -> (u64, u32) {
    let mut now = [0u64; 2];
    // SAFETY: the kernel writes one struct __kernel_timespec, two 64-bit integers, which is what `now` is.
    let done = unsafe {
        syscall2(
            g::__NR_clock_gettime64,
            id as usize,
            now.as_mut_ptr() as usize,
        )
    };
    if !OLD_KERNELS || ret(done).is_ok() {
        return (now[0], now[1] as u32);
    }
    // Before 5.1. The monotonic clock counts from boot: 31 bits of it are 68 years.
    let mut now = [0u32; 2];
    // SAFETY: the kernel writes one struct old_timespec32, two 32-bit integers.
    unsafe {
        syscall2(
            g::__NR_clock_gettime,
            id as usize,
            now.as_mut_ptr() as usize,
        )
    };
    (now[0].into(), now[1])
}

/// Waits until `fd` is readable (or its peer gone) or `deadline_ms` of [`monotonic_ms`] has passed (`ppoll(2)`).
///
/// A signal that is caught meanwhile changes nothing.
///
/// # Errors
/// `ETIMEDOUT` at the deadline.
pub fn wait_readable(fd: RawFd, deadline_ms: u64) -> Result<()> {
    loop {
        let left = deadline_ms.saturating_sub(monotonic_ms());
        match poll_once(fd, g::POLLIN, left) {
            Ok(0) if left == 0 => return Err(Errno::ETIMEDOUT),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

/// Is there an exceptional condition right now, as for [`Epoll::watch_exceptions`](crate::epoll::Epoll::watch_exceptions)?
pub fn has_exception(fd: RawFd) -> Result<bool> {
    poll_once(fd, g::POLLPRI, 0).map(|count| count > 0)
}

fn poll_once(fd: RawFd, events: u32, timeout_ms: u64) -> Result<usize> {
    let mut poll = g::pollfd {
        fd,
        events: events as i16,
        revents: 0,
    };
    // Longer waits come back early, after 49 days, and wait again.
    let timeout_ms = u32::try_from(timeout_ms).unwrap_or(u32::MAX);
    let (seconds, milliseconds) = thousandths(timeout_ms);
    let mut timeout = [
        u64::from(seconds),
        u64::from(milliseconds.wrapping_mul(1_000_000)),
    ];
    #[cfg(target_pointer_width = "64")]
    let number = g::__NR_ppoll;
    #[cfg(target_pointer_width = "32")]
    let number = g::__NR_ppoll_time64;
    // SAFETY: the kernel writes `poll.revents` and, at most, the rest of the time into `timeout`; a null mask changes no
    // signal mask.
    let value = unsafe {
        syscall5(
            number,
            (&raw mut poll) as usize,
            1,
            timeout.as_mut_ptr() as usize,
            ptr::null::<u8>() as usize,
            8,
        )
    };
    match ret(value) {
        #[cfg(target_pointer_width = "32")]
        Err(Errno::ENOSYS) if OLD_KERNELS => poll_once_old(poll, timeout),
        result => result,
    }
}

/// Before 5.1, with 32-bit time; a wait of this library is seconds long.
#[cfg(target_pointer_width = "32")]
fn poll_once_old(mut poll: g::pollfd, timeout: [u64; 2]) -> Result<usize> {
    let timeout = timeout.map(|part| part as u32);
    // SAFETY: as in `poll_once`, with struct old_timespec32.
    ret(unsafe {
        syscall5(
            g::__NR_ppoll,
            (&raw mut poll) as usize,
            1,
            timeout.as_ptr() as usize,
            ptr::null::<u8>() as usize,
            8,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_inverses_are_quotients() {
        // What a product that is a little off gets wrong first is a multiple of the divisor, or the number before it.
        for quotient in 0..u32::MAX / 1_000 {
            for number in [quotient * 1_000, quotient * 1_000 + 999] {
                assert_eq!(by_inverse(number, 0x1062_4dd3, 38), quotient);
            }
        }
        assert_eq!(by_inverse(u32::MAX, 0x1062_4dd3, 38), u32::MAX / 1_000);
        for quotient in 0..(1 << 30) / 1_000_000 {
            for number in [quotient * 1_000_000, quotient * 1_000_000 + 999_999] {
                assert_eq!(by_inverse(number, 0x431b_de83, 50), quotient);
            }
        }
    }
}
