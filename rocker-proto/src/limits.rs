//! Sizes, each with where it comes from.

/// The version of every message here. A peer with another one is refused: both are built from one source.
pub const VERSION: u16 = 4;

/// A request in bytes: one page, so that the master keeps no more than that per launch under way. Sixteen overlays and
/// four paths of 200 bytes fit; what does not is refused by the client as `E2BIG`.
pub const REQUEST_MAX: usize = 4096;

/// What says that a sandbox is ready, in bytes: a filter of system calls, and a reply behind it. The App's process keeps it
/// on its stack until the filter is in force.
pub const READY_MAX: usize = 4096;

/// The filter in bytes: 508 instructions, of which the kernel itself takes eight times as many.
pub const FILTER_MAX: usize = READY_MAX - crate::Reply::SIZE;

/// An answer about the package cache in bytes: its fixed part, and the longest path that a request can hold.
pub const CACHE_REPLY_MAX: usize = 16 + REQUEST_MAX;

/// Overlay directories in a request: `app_overlay_dirs[16]` of `lib.h`.
pub const OVERLAYS_MAX: usize = 16;

/// A guard's name with its NUL: `TASK_COMM_LEN` of the kernel, `guard_pname[16]` of `lib.h`.
pub const NAME_SIZE: usize = 16;

/// The largest id that a process can have: `(uid_t)-1` means "leave it" in `setresuid(2)`.
pub const ID_MAX: u32 = u32::MAX.wrapping_sub(1);
