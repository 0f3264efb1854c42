//! Settling: a process that has nothing more to do than wait keeps next to nothing of its memory.
//!
//! A guard waits for as long as its App runs, and there may be a thousand of them. It is a copy of the master, whose stack
//! and tables it never uses again. Worse than those pages are the kernel's tables for them: each corner of the address space
//! that has a page in it costs up to three pages of page tables. So the process goes on on a small stack close to the
//! program itself, and gives back everything above it.
#![allow(unsafe_code)]

/// A function that does not return, and its argument.
#[derive(Clone, Copy)]
struct Next {
    main: unsafe extern "C" fn(usize) -> !,
    argument: usize,
}

/// Goes on at `main(argument)`, with nothing in memory but the program itself and a stack of 64 KiB, of which the kernel
/// keeps what is used. If there is no memory for that stack, it goes on with everything.
///
/// # Safety
/// This process has one thread, no signal handler, and is linked statically to fixed low addresses: nothing that it uses
/// from here on, but the program's own sections, is in memory that was mapped before. The program takes less than 1 MiB.
pub unsafe fn settle(main: unsafe extern "C" fn(usize) -> !, argument: usize) -> ! {
    let next = Next { main, argument };
    #[cfg(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64"
    ))]
    // SAFETY: the caller's promise.
    unsafe {
        native::leave(next);
    }
    // SAFETY: where there is no room for a stack, or no way to change to it, the caller's promise holds all the more.
    unsafe { (next.main)(next.argument) }
}

#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64"
))]
mod native {
    use super::Next;
    use crate::arch::{move_to_stack, syscall2};
    use crate::errno::ret;
    use crate::memory::Pages;
    use core::mem;
    use linux_raw_sys::general as g;

    /// As many bytes as the largest pages that Linux has on these architectures.
    const STACK: usize = 64 * 1024;

    /// What one page of page tables maps, where pages are 4 KiB (on 32-bit arm too, where Linux takes them in pairs).
    const TABLE: usize = 2 * 1024 * 1024;

    /// The smallest pages.
    const PAGE_BITS: u32 = 12;

    /// Comes back only if there is no stack to be had.
    ///
    /// # Safety
    /// As [`super::settle`].
    pub(super) unsafe fn leave(next: Next) {
        let program = next.main as usize;
        // At the end of what the program's own page of page tables maps; below it, down to the program, lies nothing.
        let place = (program | (TABLE - 1)).wrapping_add(1).wrapping_sub(STACK);
        let Ok(stack) = Pages::near(place, STACK) else {
            return;
        };
        let top = stack.as_slice().as_ptr_range().end as usize;
        if top.wrapping_sub(STACK) != place {
            // The kernel had something else there.
            return;
        }
        // It is the stack from here on.
        mem::forget(stack);
        let seat = top.wrapping_sub(size_of::<[usize; 8]>());
        const { assert!(size_of::<Next>() <= size_of::<[usize; 8]>()) };
        // SAFETY: it lies at the upper end of the new pages, aligned to a multiple of 16 on 64-bit machines and to 8 on
        // others, as the ABI wants a stack to be, and nothing else is there.
        unsafe { (seat as *mut Next).write(next) };
        // SAFETY: below `seat` there are 64 KiB but 64 bytes of stack; what is up in the old one is not used again.
        unsafe { move_to_stack(seat, settled, seat) }
    }

    /// On the new stack.
    ///
    /// # Safety
    /// `seat` is where `leave` wrote what is next, at the end of the stack that this runs on.
    unsafe extern "C" fn settled(seat: usize) -> ! {
        // SAFETY: the caller's promise.
        let next = unsafe { *(seat as *const Next) };
        // SAFETY: the stack lies above the program, so nothing that is used from here on lies above the stack.
        unsafe { release_above(seat.wrapping_add(size_of::<[usize; 8]>())) };
        // SAFETY: the caller of `settle` wanted this.
        unsafe { (next.main)(next.argument) }
    }

    /// Unmaps everything from `start` to the end of the address space. Where that is depends on the architecture, the kernel
    /// and how it was booted, and `munmap(2)` refuses whatever goes beyond (`EINVAL`): so it is found by halves.
    ///
    /// # Safety
    /// Nothing there is used again. `start` is a multiple of the page size.
    unsafe fn release_above(mut start: usize) {
        for bits in (PAGE_BITS..usize::BITS).rev() {
            let len = 1 << bits;
            // SAFETY: the caller's promise.
            if ret(unsafe { syscall2(g::__NR_munmap, start, len) }).is_ok() {
                start = start.wrapping_add(len);
            }
        }
    }
}
