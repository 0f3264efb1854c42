//! From C's `RockerOptions` to the client's `Data`.

use core::ffi::{c_int, c_uint};
use rocker_client::{Data, DataMode, Failure, Stage};
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
}

/// No structure is as long: a size beyond it was never set.
const SIZE_MAX: usize = 4096;

/// Reads the options; null stands for the defaults. A caller that was compiled with a later header may pass a longer
/// structure, as long as what this library does not know is 0: then it is not asked for.
///
/// # Safety
/// Null, or a structure that has as many bytes as it says.
pub(crate) unsafe fn read(options: *const RockerOptions) -> Result<Data, Failure> {
    if options.is_null() {
        return Ok(Data::DISK);
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
    Ok(Data {
        // What is no mode goes on as one that the master refuses by name.
        mode: DataMode::from_raw(u8::try_from(options.data).unwrap_or(u8::MAX)),
        flags: keep | no_overlays,
        size_kib: options.data_size,
    })
}
