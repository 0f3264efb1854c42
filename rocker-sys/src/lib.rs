//! Typed Linux system calls for Rocker: no policy, no allocation, no libc.
//!
//! Every function is one system call (or one call and its fallback on older kernels, which its doc names) and returns
//! [`Result`]: the value, or the kernel's [`Errno`] as it came. Numbers and structures are those of `linux-raw-sys`,
//! which are generated from the kernel's headers. x86_64, aarch64, arm and riscv64 enter the kernel by themselves; any
//! other architecture goes through libc's `syscall(3)`.
//!
//! The crate is used by the master, the guard and the on-device command, which link no libc at all, and by the client
//! library, which lives in somebody else's process: nothing here touches `errno`, thread-local storage or the heap.
//!
//! # Safety
//!
//! Each file that enters the kernel lifts `deny(unsafe_code)` for itself. A system call is unsafe for what it does to this
//! process: the memory that the kernel writes, the descriptors that it closes, the address space that it changes. A
//! wrapper is safe when none of that can break what the borrow checker knows; else it is an `unsafe fn`.
#![no_std]
#![deny(unsafe_code)]

mod arch;
pub mod block_device;
pub mod credentials;
mod descriptor_table;
pub mod epoll;
mod errno;
mod fd;
pub mod fs;
pub mod futex;
pub mod loop_device;
pub mod memory;
pub mod mount;
pub mod mount_attributes;
pub mod namespace;
pub mod network;
pub mod process;
pub mod program;
pub mod seccomp;
pub mod settle;
pub mod signal;
pub mod socket;
mod text;
pub mod time;
pub mod vfork;

pub use descriptor_table::{close_all_but, close_on_exec_from};
pub use errno::{Errno, Result};
pub use fd::{Fd, ProcPath, RawFd, dup_to};
/// The kernel's own types and constants.
pub use linux_raw_sys as raw;
pub use text::{Decimal, StackPath, is, parse_decimal, position};

/// Is there a way round what kernels before 5.12 have not got? Without it such a call fails as it does (`ENOSYS`).
pub const OLD_KERNELS: bool = cfg!(feature = "old-kernels");
