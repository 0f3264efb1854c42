//! From C's `RockerOptions` to what the client's `Request` has of it.

use crate::string::string;
use core::ffi::{CStr, c_char, c_int, c_uint};
use rocker_client::{Data, DataMode, Failure, Network, Seccomp, Stage};
use rocker_sys::Errno;

/// `RockerOptions` of `rocker_ext.h`.
#[repr(C)]
pub struct RockerOptions {
    /// `sizeof(RockerOptions)`, as the caller was compiled.
    pub size: usize,
    /// `ROCKER_DATA_*`
    pub data: c_int,
    /// How large a tmpfs may become, in KiB.
    pub data_size: c_uint,
    /// Is a tmpfs written back at a good end?
    pub data_keep: c_int,
    /// Is nothing overlaid?
    pub no_overlays: c_int,
    /// `ROCKER_SECCOMP_*`
    pub seccomp: c_int,
    /// Is what would be refused only reported?
    pub seccomp_log: c_int,
    /// The policy file of `ROCKER_SECCOMP_FILE`, or null.
    pub seccomp_policy: *const c_char,
    /// `ROCKER_NETWORK_*`
    pub network: c_int,
}

/// The options as the client has them.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) data: Data,
    pub(crate) seccomp: Seccomp,
    pub(crate) policy: Option<&'a CStr>,
    pub(crate) network: Network,
}

impl Options<'_> {
    pub(crate) const DEFAULT: Self = Self {
        data: Data::DISK,
        seccomp: Seccomp::DEFAULT,
        policy: None,
        network: Network::HOST,
    };
}

/// A choice of nothing: every field of a request that holds one has fewer.
const NO_CHOICE: u8 = 0x7f;

/// No structure is as long: a size beyond it was never set.
const SIZE_MAX: usize = 4096;

/// Reads the options; null stands for the defaults. A caller that was compiled with a later header may pass a longer
/// structure, as long as what this library does not know is 0: then it is not asked for.
///
/// # Safety
/// Null, or a structure that has as many bytes as it says, whose pointer is null or a string that lives and stays unchanged
/// as long as the result.
pub(crate) unsafe fn read<'a>(options: *const RockerOptions) -> Result<Options<'a>, Failure> {
    if options.is_null() {
        return Ok(Options::DEFAULT);
    }
    let refuse = |errno: Errno| Failure::new(Stage::ARGUMENT, errno.raw());
    // SAFETY: not null, so the size at least is there, by the caller's promise.
    let size = unsafe { (*options).size };
    if !(size_of::<RockerOptions>()..=SIZE_MAX).contains(&size) {
        return Err(refuse(Errno::EINVAL));
    }
    // SAFETY: it has as many bytes as it says, by the caller's promise.
    let bytes = unsafe { core::slice::from_raw_parts(options.cast::<u8>(), size) };
    let mut later = bytes.iter().skip(size_of::<RockerOptions>());
    if later.any(|byte| *byte != 0) {
        return Err(refuse(Errno::E2BIG));
    }
    // SAFETY: it is long enough, as was seen above.
    let options = unsafe { &*options };
    let keep = if options.data_keep == 0 {
        0
    } else {
        Data::KEEP
    };
    let no_overlays = if options.no_overlays == 0 {
        0
    } else {
        Data::NO_OVERLAYS
    };
    let seccomp = Seccomp::from_raw(choice(options.seccomp));
    // SAFETY: null or a string, by the caller's promise.
    let policy = unsafe { string(options.seccomp_policy) };
    Ok(Options {
        data: Data {
            mode: DataMode::from_raw(choice(options.data)),
            flags: keep | no_overlays,
            size_kib: options.data_size,
        },
        seccomp: if options.seccomp_log == 0 {
            seccomp
        } else {
            seccomp.logged()
        },
        policy,
        network: Network::from_raw(choice(options.network)),
    })
}

/// What is no choice goes on as one that the master refuses by name.
fn choice(number: c_int) -> u8 {
    u8::try_from(number).unwrap_or(NO_CHOICE)
}
