//! aarch64: `svc 0`, number in x8, everything but x0 preserved.

use super::{Entry, VforkEntry};
use core::arch::asm;
use core::ffi::c_void;

macro_rules! syscalls {
    ($($name:ident($first:ident $(, $arg:ident: $reg:tt)*);)*) => { $(
        /// Enters the kernel. The caller answers for what the call does to this process.
        #[inline]
        pub(crate) unsafe fn $name(nr: u32, $first: usize, $($arg: usize),*) -> usize {
            let value: usize;
            // SAFETY: the instruction itself touches only the registers named; what the call does is the caller's word.
            unsafe {
                asm!("svc 0", in("x8") nr as usize, inlateout("x0") $first => value, $(in($reg) $arg,)*
                     options(nostack));
            }
            value
        }
    )* };
}

syscalls! {
    syscall1(a);
    syscall2(a, b: "x1");
    syscall3(a, b: "x1", c: "x2");
    syscall4(a, b: "x1", c: "x2", d: "x3");
    syscall5(a, b: "x1", c: "x2", d: "x3", e: "x4");
    syscall6(a, b: "x1", c: "x2", d: "x3", e: "x4", f: "x5");
}

/// Enters the kernel with no argument.
#[inline]
pub(crate) unsafe fn syscall0(nr: u32) -> usize {
    // SAFETY: a call without arguments ignores x0.
    unsafe { syscall1(nr, 0) }
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
    let value: usize;
    // SAFETY: the parent leaves the block with only x0 changed; the child leaves it by `blr`, with sp aligned to 16 bytes,
    // and `entry` does not return.
    unsafe {
        asm!("svc 0",
             "cbnz x0, 2f",
             "mov x29, xzr",
             "mov x0, x10",
             "blr x9",
             "brk 1",
             "2:",
             in("x8") linux_raw_sys::general::__NR_clone as usize,
             inlateout("x0") flags => value,
             in("x1") stack_top, in("x2") child_id, in("x3") 0usize, in("x4") 0usize,
             in("x9") entry, in("x10") argument, options(nostack));
    }
    value
}

/// Goes on at `entry(argument)` on another stack, for good.
pub(crate) unsafe fn move_to_stack(top: usize, entry: Entry, argument: usize) -> ! {
    // SAFETY: sp is aligned to 16 bytes by the caller; nothing comes back to the old stack.
    unsafe {
        asm!("mov sp, {top}", "mov x29, xzr", "mov x30, xzr", "br {entry}",
             top = in(reg) top, entry = in(reg) entry, in("x0") argument, options(noreturn));
    }
}
