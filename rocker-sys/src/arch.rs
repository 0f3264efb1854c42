//! How to enter the kernel, per architecture.
//!
//! Each file gives `syscall1` to `syscall6` with the same signatures, and [`clone_vfork`] with its own stack. All take the
//! arguments as register-sized integers and return the register as it came; [`crate::errno::ret`] decodes it. The native
//! ones also have `move_to_stack`.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
#[path = "arch/x86_64.rs"]
mod native;
#[cfg(target_arch = "aarch64")]
#[path = "arch/aarch64.rs"]
mod native;
#[cfg(target_arch = "arm")]
#[path = "arch/arm.rs"]
mod native;
#[cfg(target_arch = "riscv64")]
#[path = "arch/riscv64.rs"]
mod native;
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64"
)))]
#[path = "arch/libc.rs"]
mod native;

pub(crate) use native::*;

/// What the child of [`clone_vfork`] runs. It never returns: there is no frame to return to.
pub(crate) type VforkEntry = unsafe extern "C" fn(*mut core::ffi::c_void) -> !;

/// Where `move_to_stack` goes on.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64"
))]
pub(crate) type Entry = unsafe extern "C" fn(usize) -> !;
