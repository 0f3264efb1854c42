//! Every other architecture: libc's `syscall(3)`, whose `errno` is folded back into the kernel's own convention.

use super::VforkEntry;
use core::ffi::{c_int, c_void};

/// Makes libc's -1 and errno the kernel's negative number again.
fn fold(value: libc::c_long) -> usize {
    if value != -1 {
        return value as usize;
    }
    // SAFETY: the location is this thread's own, always readable.
    let errno = unsafe { *libc::__errno_location() };
    (-errno) as isize as usize
}

macro_rules! syscalls {
    ($($name:ident($($arg:ident),*);)*) => { $(
        /// Enters the kernel. The caller answers for what the call does to this process.
        #[inline]
        pub(crate) unsafe fn $name(nr: u32, $($arg: usize),*) -> usize {
            // SAFETY: syscall(3) hands the registers on; what the call does is the caller's word.
            fold(unsafe { libc::syscall(nr as libc::c_long, $($arg),*) })
        }
    )* };
}

syscalls! {
    syscall0();
    syscall1(a);
    syscall2(a, b);
    syscall3(a, b, c);
    syscall4(a, b, c, d);
    syscall5(a, b, c, d, e);
    syscall6(a, b, c, d, e, f);
}

/// `clone` on a stack of its own; the child calls `entry(argument)` there and never comes back. With `CLONE_PARENT_SETTID`
/// the kernel writes its id to `child_id`.
pub(crate) unsafe fn clone_vfork(
    flags: usize,
    stack_top: *mut c_void,
    entry: VforkEntry,
    argument: *mut c_void,
    child_id: *mut i32,
) -> usize {
    // SAFETY: a function that never returns may stand where one that returns an int is wanted: the ABI is the same.
    let entry: extern "C" fn(*mut c_void) -> c_int = unsafe { core::mem::transmute(entry) };
    // SAFETY: clone(3) with a stack of the caller's; what the flags do is the caller's word.
    let value = unsafe { libc::clone(entry, stack_top, flags as c_int, argument, child_id) };
    fold(value.into())
}
