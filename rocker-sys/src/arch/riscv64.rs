//! riscv64: `ecall`, number in a7, everything but a0 preserved.

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
                asm!("ecall", in("a7") nr as usize, inlateout("a0") $first => value, $(in($reg) $arg,)*
                     options(nostack));
            }
            value
        }
    )* };
}

syscalls! {
    syscall1(a);
    syscall2(a, b: "a1");
    syscall3(a, b: "a1", c: "a2");
    syscall4(a, b: "a1", c: "a2", d: "a3");
    syscall5(a, b: "a1", c: "a2", d: "a3", e: "a4");
    syscall6(a, b: "a1", c: "a2", d: "a3", e: "a4", f: "a5");
}

/// Enters the kernel with no argument.
#[inline]
pub(crate) unsafe fn syscall0(nr: u32) -> usize {
    // SAFETY: a call without arguments ignores a0.
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
    // SAFETY: the parent leaves the block with only a0 changed; the child leaves it by `jalr`, with sp aligned to 16 bytes,
    // and `entry` does not return.
    unsafe {
        asm!("ecall",
             "bnez a0, 2f",
             "mv a0, t1",
             "jalr t0",
             "ebreak",
             "2:",
             in("a7") linux_raw_sys::general::__NR_clone as usize,
             inlateout("a0") flags => value,
             in("a1") stack_top, in("a2") child_id, in("a3") 0usize, in("a4") 0usize,
             in("t0") entry, in("t1") argument, options(nostack));
    }
    value
}

/// Goes on at `entry(argument)` on another stack, for good.
pub(crate) unsafe fn move_to_stack(top: usize, entry: Entry, argument: usize) -> ! {
    // SAFETY: sp is aligned to 16 bytes by the caller; nothing comes back to the old stack.
    unsafe {
        asm!("mv sp, {top}", "mv ra, zero", "jr {entry}",
             top = in(reg) top, entry = in(reg) entry, in("a0") argument, options(noreturn));
    }
}
