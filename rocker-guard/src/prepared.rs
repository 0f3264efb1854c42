//! `Prepared`: a process that is to be a guard, before it knows what of.

use crate::mask::Mask;
use crate::step::{At, Step};
use crate::{Defence, MountPoints, pseudo_fs};
use core::ffi::CStr;
use rocker_proto::Stage;
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH};
use rocker_sys::signal::{self, SigSet};
use rocker_sys::{Fd, RawFd, close_all_but, fs, process};

/// Everything that is the same for all sandboxes is done.
pub struct Prepared<'a> {
    pub(crate) mask: Mask<'a>,
    /// The host's `/proc`, which the sandbox's covers.
    pub(crate) host_proc: Fd,
    /// Are `/proc` and `/sys` the sandbox's own?
    pub(crate) shows_kernel: bool,
}

impl<'a> Prepared<'a> {
    /// Closes what was inherited but for `kept`, keeps every signal for `pid1` to ask for, and lets go of the master's working
    /// directory. Mounts `/proc` and closes `/sys`, if that can be done before anything else is mounted.
    ///
    /// # Errors
    /// Of the step that failed.
    ///
    /// # Safety
    /// Nothing else of this process uses a descriptor that is not kept.
    #[allow(unsafe_code)]
    pub unsafe fn new(
        kept: &[RawFd],
        mask: &'a CStr,
        mounts: MountPoints<'_>,
        shows_kernel: bool,
    ) -> Step<Self> {
        if Defence::Descriptors.stands() {
            // SAFETY: the caller's promise.
            unsafe { close_all_but(kept) }.at(Stage::GUARD)?;
        }
        let mask = Mask::open(mask).at(Stage::HARDEN_PROC)?;
        signal::set_mask(&SigSet::full()).at(Stage::GUARD)?;
        process::umask(0);
        // A working directory keeps its file system busy, on the host too where that is shared.
        fs::chdir(c"/").at(Stage::GUARD)?;
        let host_proc = fs::open(c"/proc", O_PATH | O_DIRECTORY).at(Stage::MOUNT_PROC)?;
        if shows_kernel {
            pseudo_fs::close(&mask.file, mounts)?;
        }
        Ok(Self {
            mask,
            host_proc,
            shows_kernel,
        })
    }
}
