//! arm (EABI): `svc 0`, number in r7. r7 is the frame pointer of Thumb code, so it is saved by hand around the call.

use super::{Entry, VforkEntry};
use core::arch::asm;
use core::ffi::c_void;

macro_rules! syscalls {
    ($($name:ident($first:ident $(, $arg:ident: $reg:tt)*);)*) => { $(
        /// Enters the kernel. The caller answers for what the call does to this process.
        #[inline]
        pub(crate) unsafe fn $name(nr: u32, $first: usize, $($arg: usize),*) -> usize {
            let value: usize;
            // SAFETY: r7 is put back before the block ends; what the call does is the caller's word.
            unsafe {
                asm!("mov {saved}, r7", "mov r7, {nr}", "svc 0", "mov r7, {saved}",
                     saved = out(reg) _, nr = in(reg) nr,
                     inlateout("r0") $first => value, $(in($reg) $arg,)*
                     options(nostack));
            }
            value
        }
    )* };
}

syscalls! {
    syscall1(a);
    syscall2(a, b: "r1");
    syscall3(a, b: "r1", c: "r2");
    syscall4(a, b: "r1", c: "r2", d: "r3");
    syscall5(a, b: "r1", c: "r2", d: "r3", e: "r4");
    syscall6(a, b: "r1", c: "r2", d: "r3", e: "r4", f: "r5");
}

/// Enters the kernel with no argument.
#[inline]
pub(crate) unsafe fn syscall0(nr: u32) -> usize {
    // SAFETY: a call without arguments ignores r0.
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
    // SAFETY: the parent leaves the block with r7 put back and only r0 changed; the child leaves it by `blx`, with sp
    // aligned to 8 bytes, and `entry` does not return. `blx` takes the instruction set from the address.
    unsafe {
        asm!("mov r8, r7",
             "mov r7, r5",
             "svc 0",
             "mov r7, r8",
             "cmp r0, #0",
             "bne 2f",
             "mov r0, r10",
             "blx r9",
             "udf #0",
             "2:",
             inlateout("r0") flags => value,
             in("r1") stack_top, in("r2") child_id, in("r3") 0usize, in("r4") 0usize,
             in("r5") linux_raw_sys::general::__NR_clone,
             out("r8") _, in("r9") entry, in("r10") argument, options(nostack));
    }
    value
}

/// Goes on at `entry(argument)` on another stack, for good.
pub(crate) unsafe fn move_to_stack(top: usize, entry: Entry, argument: usize) -> ! {
    // SAFETY: sp is aligned to 8 bytes by the caller; nothing comes back to the old stack. `blx` takes the instruction set
    // from the address.
    unsafe {
        asm!("mov sp, {top}", "blx {entry}", "udf #0",
             top = in(reg) top, entry = in(reg) entry, in("r0") argument, options(noreturn));
    }
}
