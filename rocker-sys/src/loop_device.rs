//! A file as a block device.
#![allow(unsafe_code)]

use crate::OLD_KERNELS;
use crate::arch::syscall3;
use crate::errno::{Errno, Result, done, ret};
use crate::fd::{Fd, RawFd};
use crate::fs;
use crate::text::StackPath;
use core::ffi::CStr;
use linux_raw_sys::general as g;
use linux_raw_sys::loop_device as l;

/// How often a free device may be snatched away before we give up. Each lost race is another launch that went on, so as
/// many launches as there are may be under way at once; this is a bound for a kernel gone mad, not a tuning value.
const ATTEMPTS: usize = 4096;

/// An attached loop device, read-only, that detaches itself when the last user is gone (`LO_FLAGS_AUTOCLEAR`): nobody has
/// to clean up, whoever dies. Keep it until the device is mounted.
#[derive(Debug)]
pub struct LoopDevice {
    _open: Fd,
    path: StackPath<24>,
}

impl LoopDevice {
    /// Attaches `backing_file` to a free device (`loop(4)`: `LOOP_CTL_GET_FREE`, `LOOP_CONFIGURE`; before 5.8
    /// `LOOP_SET_FD` and `LOOP_SET_STATUS64`).
    ///
    /// `LOOP_CTL_GET_FREE` only tells which device is free now: another process may take it first, which is `EBUSY`, and
    /// then we ask again. Where there is no /dev/loop-control to ask, one device after another is tried.
    pub fn attach(backing_file: RawFd) -> Result<Self> {
        Self::attach_by(|device| match configure(device, backing_file) {
            // ENOTTY is what the documentation says for an unknown request; the driver before 5.8 says EINVAL.
            Err(Errno::EINVAL | Errno::ENOTTY) if OLD_KERNELS => {
                configure_in_two_steps(device, backing_file)
            }
            result => result,
        })
    }

    /// Attaches by `LOOP_CONFIGURE` or not at all: for those who ask whether the kernel has it.
    pub fn attach_in_one_step(backing_file: RawFd) -> Result<Self> {
        Self::attach_by(|device| configure(device, backing_file))
    }

    fn attach_by(configure: impl Fn(RawFd) -> Result<()>) -> Result<Self> {
        let control = match fs::open(c"/dev/loop-control", g::O_RDWR) {
            // Without devtmpfs somebody made the nodes, and may have made no more than /dev/loopN: tried from 0 on.
            Err(Errno::ENOENT) => None,
            result => Some(result?),
        };
        let mut last = Errno::EBUSY;
        for attempt in 0..ATTEMPTS {
            let number = match &control {
                Some(control) => fs::ioctl_int(control.raw(), l::LOOP_CTL_GET_FREE, 0)?,
                None => attempt,
            };
            match Self::attach_to(number, &configure) {
                // ENXIO: the device's last user is just going, or the device itself (LOOP_CTL_REMOVE).
                Err(errno @ (Errno::EBUSY | Errno::ENXIO)) => last = errno,
                result => return result,
            }
        }
        Err(last)
    }

    #[inline(never)] // smaller by itself
    fn attach_to(number: usize, configure: impl Fn(RawFd) -> Result<()>) -> Result<Self> {
        let number = u32::try_from(number).map_err(|_| Errno::EOVERFLOW)?;
        let path = StackPath::numbered(b"/dev/loop", number, b"")?;
        let device = fs::open(path.as_c_str(), g::O_RDONLY)?;
        configure(device.raw())?;
        Ok(Self {
            _open: device,
            path,
        })
    }

    /// Its name, `/dev/loopN`.
    pub fn path(&self) -> &CStr {
        self.path.as_c_str()
    }
}

fn read_only_autoclear() -> l::loop_info64 {
    // SAFETY: the structure is integers and arrays of them, for which zero is a value: no offset, no limit, no name.
    let mut info: l::loop_info64 = unsafe { core::mem::zeroed() };
    info.lo_flags = l::LO_FLAGS_READ_ONLY as u32 | l::LO_FLAGS_AUTOCLEAR as u32;
    info
}

/// The size of the device's blocks: a page where the file is whole pages, so that a mount reads its tables in a fraction of
/// the requests that the default of 512 bytes takes. A device shows whole blocks only: of another file it would hide the
/// end.
fn block_size(backing_file: RawFd) -> u32 {
    const PAGE: u32 = 4096;
    match fs::fstat(backing_file) {
        Ok(stat) if stat.size % u64::from(PAGE) == 0 => PAGE,
        _ => 0,
    }
}

fn configure(device: RawFd, backing_file: RawFd) -> Result<()> {
    let config = l::loop_config {
        // The kernel takes the descriptor's number as unsigned.
        fd: backing_file as u32,
        block_size: block_size(backing_file),
        info: read_only_autoclear(),
        __reserved: [0; 8],
    };
    // SAFETY: the kernel reads one struct loop_config.
    done(unsafe {
        syscall3(
            g::__NR_ioctl,
            device as usize,
            l::LOOP_CONFIGURE as usize,
            (&raw const config) as usize,
        )
    })
}

fn configure_in_two_steps(device: RawFd, backing_file: RawFd) -> Result<()> {
    fs::ioctl_int(device, l::LOOP_SET_FD, backing_file as usize)?;
    let info = read_only_autoclear();
    // SAFETY: the kernel reads one struct loop_info64.
    let status = unsafe {
        syscall3(
            g::__NR_ioctl,
            device as usize,
            l::LOOP_SET_STATUS64 as usize,
            (&raw const info) as usize,
        )
    };
    match ret(status) {
        Ok(_) => Ok(()),
        Err(errno) => {
            // Without autoclear it would stay attached for ever. If even this fails, the first error is the one to tell.
            fs::ioctl_int(device, l::LOOP_CLR_FD, 0).unwrap_or_default();
            Err(errno)
        }
    }
}
