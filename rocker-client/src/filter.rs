//! `Filter`: which system calls the App may make, as the guard says it.

use crate::connect::Ready;
use rocker_proto::limits::FILTER_MAX;
use rocker_sys::{Errno, fs, seccomp, time};

/// A program for `seccomp(2)`, or none yet.
pub(crate) struct Filter {
    program: [u8; FILTER_MAX],
    len: usize,
}

impl Filter {
    pub(crate) const NONE: Self = Self {
        program: [0; FILTER_MAX],
        len: 0,
    };

    /// Fetches it from the guard, which sends it with its answer: there is nothing to wait for, but if the guard was stopped
    /// in between.
    pub(crate) fn fetch(&mut self, ready: &Ready) -> Result<(), Errno> {
        let connection = ready.connection.raw();
        time::wait_readable(connection, ready.deadline_ms)?;
        self.len = fs::read(connection, &mut self.program)?;
        // The end of the connection is no filter.
        if self.len == 0 {
            return Err(Errno::ECONNRESET);
        }
        Ok(())
    }

    /// Puts it on this process, once, which may be able to do nothing more than run the App afterwards: a policy names what
    /// an App needs. It takes no_new_privs.
    pub(crate) fn install(&mut self) -> Result<(), Errno> {
        match self.program.get(..core::mem::take(&mut self.len)) {
            None | Some([]) => Ok(()),
            Some(program) => seccomp::install(program),
        }
    }
}
