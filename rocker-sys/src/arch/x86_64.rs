//! x86_64: `syscall`, which destroys rcx and r11.

use super::{Entry, VforkEntry};
use core::arch::asm;
use core::ffi::c_void;

macro_rules! syscalls {
    ($($name:ident($($arg:ident: $reg:tt),*);)*) => { $(
        /// Enters the kernel. The caller answers for what the call does to this process.
        #[inline]
        pub(crate) unsafe fn $name(nr: u32, $($arg: usize),*) -> usize {
            let value: usize;
            // SAFETY: the instruction itself touches only the registers named; what the call does is the caller's word.
            unsafe {
                asm!("syscall", inlateout("rax") nr as usize => value, $(in($reg) $arg,)*
                     lateout("rcx") _, lateout("r11") _, options(nostack));
            }
            value
        }
    )* };
}

syscalls! {
    syscall0();
    syscall1(a: "rdi");
    syscall2(a: "rdi", b: "rsi");
    syscall3(a: "rdi", b: "rsi", c: "rdx");
    syscall4(a: "rdi", b: "rsi", c: "rdx", d: "r10");
    syscall5(a: "rdi", b: "rsi", c: "rdx", d: "r10", e: "r8");
    syscall6(a: "rdi", b: "rsi", c: "rdx", d: "r10", e: "r8", f: "r9");
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
    // SAFETY: the parent leaves the block with only rax, rcx and r11 changed; the child leaves it by `call`, with the stack
    // aligned to 16 bytes as the ABI wants it, and `entry` does not return.
    unsafe {
        asm!("syscall",
             "test rax, rax",
             "jnz 2f",
             "xor ebp, ebp",
             "mov rdi, r13",
             "call r12",
             "ud2",
             "2:",
             inlateout("rax") linux_raw_sys::general::__NR_clone as usize => value,
             in("rdi") flags, in("rsi") stack_top, in("rdx") child_id, in("r10") 0usize, in("r8") 0usize,
             in("r12") entry, in("r13") argument,
             lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    value
}

/// Goes on at `entry(argument)` on another stack, for good.
pub(crate) unsafe fn move_to_stack(top: usize, entry: Entry, argument: usize) -> ! {
    // SAFETY: `call` leaves the stack as the ABI wants it inside a function; nothing comes back to the old one.
    unsafe {
        asm!("mov rsp, {top}", "xor ebp, ebp", "call {entry}", "ud2",
             top = in(reg) top, entry = in(reg) entry, in("rdi") argument, options(noreturn));
    }
}
