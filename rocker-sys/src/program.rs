//! The start of the static programs, which link no libc: the entry point, the arguments, the panic handler.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};

/// What the kernel put on the stack of a new program: its arguments and environment (`execve(2)`).
#[derive(Clone, Copy, Debug)]
pub struct Program {
    argc: usize,
    argv: *const *const c_char,
}

impl Program {
    /// Reads the initial stack.
    ///
    /// # Safety
    /// `stack` is the stack pointer as the kernel handed it to the entry point.
    pub unsafe fn new(stack: *const usize) -> Self {
        // SAFETY: the first word is the number of arguments.
        let argc = unsafe { *stack };
        // SAFETY: and the array of arguments follows it.
        let argv = unsafe { stack.add(1) };
        Self {
            argc,
            argv: argv.cast(),
        }
    }

    /// The arguments, the program's own name first.
    pub fn arguments(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        let (argc, argv) = (self.argc, self.argv);
        // SAFETY: argv holds argc strings, put there by the kernel, which live as long as the process.
        (0..argc).map(move |index| unsafe { string(argv, index) })
    }

    /// The array of arguments from number `first` on, as execve wants it: it ends with a null pointer.
    pub fn argv_from(&self, first: usize) -> *const *const c_char {
        // SAFETY: the array has argc strings and a null pointer; `min` stays within it.
        unsafe { self.argv.add(first.min(self.argc)) }
    }

    /// The environment, as execve wants it: it ends with a null pointer.
    pub fn environment(&self) -> *const *const c_char {
        // SAFETY: the environment follows the null pointer that ends the arguments.
        unsafe { self.argv.add(self.argc.wrapping_add(1)) }
    }

    /// The environment's entries, `NAME=value` each.
    pub fn environment_entries(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        let environment = self.environment();
        // SAFETY: the array is read up to its null pointer and no further.
        (0..).map_while(move |index| unsafe { string_or_end(environment, index) })
    }

    /// The value of an environment variable, of which `name` is everything up to and with the `=`.
    pub fn variable(&self, name: &[u8]) -> Option<&'static CStr> {
        self.environment_entries().find_map(|entry| {
            let value = entry.to_bytes_with_nul().strip_prefix(name)?;
            CStr::from_bytes_until_nul(value).ok()
        })
    }
}

/// # Safety
/// The array has a string at `index`, which lives for ever.
unsafe fn string(array: *const *const c_char, index: usize) -> &'static CStr {
    // SAFETY: the caller's promise: it is in the array.
    let pointer = unsafe { *array.wrapping_add(index) };
    // SAFETY: the caller's promise: it is a string.
    unsafe { CStr::from_ptr(pointer) }
}

/// # Safety
/// The array has a string or its null pointer at `index`.
unsafe fn string_or_end(array: *const *const c_char, index: usize) -> Option<&'static CStr> {
    // SAFETY: the caller's promise.
    let pointer = unsafe { *array.wrapping_add(index) };
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null, so it is a string, by the caller's promise.
    Some(unsafe { CStr::from_ptr(pointer) })
}

/// What is left to do after a panic, which no path of these programs reaches: say so and end. 134 is what a shell shows for
/// SIGABRT, which PID 1 of a namespace could not even send to itself.
pub fn panicked() -> ! {
    // Nothing can be done if standard error is closed.
    crate::fs::write(2, b"rocker: internal error, ending\n").unwrap_or_default();
    crate::process::exit(134)
}

/// Makes a static program of `fn(&Program) -> i32`: the entry point, the panic handler, and the personality that core's
/// prebuilt objects name though nothing unwinds.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            // The stack pointer is aligned here; `call` leaves it as the ABI wants it inside a function.
            core::arch::naked_asm!("xor ebp, ebp", "mov rdi, rsp", "call {entry}", "ud2", entry = sym rocker_entry)
        }

        #[cfg(target_arch = "aarch64")]
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            core::arch::naked_asm!("mov x29, xzr", "mov x30, xzr", "mov x0, sp", "b {entry}", entry = sym rocker_entry)
        }

        #[cfg(target_arch = "arm")]
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            core::arch::naked_asm!("mov r0, sp", "bl {entry}", "udf #0", entry = sym rocker_entry)
        }

        #[cfg(target_arch = "riscv64")]
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            // The global pointer must be set without being relaxed into itself.
            core::arch::naked_asm!(
                ".option push", ".option norelax", "la gp, __global_pointer$", ".option pop",
                "mv a0, sp", "tail {entry}", entry = sym rocker_entry)
        }

        // Everywhere else libc makes the system calls, and starts the program too.
        #[cfg(not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "arm",
            target_arch = "riscv64"
        )))]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn main(_: core::ffi::c_int, arguments: *const usize) -> ! {
            // SAFETY: libc hands over the kernel's own array, and the word before it is their number (`execve(2)`).
            unsafe { rocker_entry(arguments.sub(1)) }
        }

        /// Where the entry point goes on in Rust.
        unsafe extern "C" fn rocker_entry(stack: *const usize) -> ! {
            // SAFETY: `_start` hands over the stack pointer as it found it.
            let program = unsafe { $crate::program::Program::new(stack) };
            $crate::process::exit($main(&program))
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $crate::program::panicked()
        }

        /// Named by core's prebuilt objects; never called, since a panic aborts.
        #[unsafe(no_mangle)]
        extern "C" fn rust_eh_personality() {}
    };
}
