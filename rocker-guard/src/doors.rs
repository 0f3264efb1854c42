//! `Doors`: what a client needs to get in.

use crate::numbers::Numbers;
use core::ffi::CStr;
use rocker_proto::{At, Entrance, Failure, Stage};
use rocker_sys::namespace::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER,
    CLONE_NEWUTS,
};
use rocker_sys::raw::general::{O_DIRECTORY, O_PATH, O_RDONLY};
use rocker_sys::{Errno, Fd, OLD_KERNELS, Result, fs, process};

/// The descriptors of an entrance.
pub struct Doors<'a> {
    entrance: Entrance,
    pid: i32,
    namespaces: &'a CStr,
    fds: heapless::Vec<Fd, { Entrance::FDS_MAX }>,
}

impl<'a> Doors<'a> {
    /// Those of the process with this number, whose namespaces are in this directory; 0 is the process that opens them. None
    /// is open yet.
    pub fn closed(entrance: Entrance, pid: i32, namespaces: &'a CStr) -> Self {
        Self {
            entrance,
            pid,
            namespaces,
            fds: heapless::Vec::new(),
        }
    }

    /// Opens them. Once: after that it does nothing.
    ///
    /// # Errors
    /// [`Stage::NAMESPACES`]: of `pidfd_open(2)`, and of `open(2)` of the namespaces.
    pub fn open(&mut self) -> core::result::Result<(), Failure> {
        if self.fds.is_empty() {
            self.open_all().at(Stage::NAMESPACES)?;
        }
        Ok(())
    }

    /// How the client gets in by them.
    pub fn entrance(&self) -> Entrance {
        self.entrance
    }

    /// In the order in which the entrance has them.
    pub(crate) fn fds(&self) -> &[Fd] {
        &self.fds
    }

    /// Their numbers, to be sent.
    pub fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        numbers.add(&self.fds);
        numbers
    }

    fn open_all(&mut self) -> Result<()> {
        let pid = if self.pid == 0 {
            process::pid()
        } else {
            self.pid
        };
        match process::pidfd_open(pid) {
            Err(Errno::ENOSYS) if OLD_KERNELS && self.entrance.is_one_by_one() => {}
            result => self.push(result?)?,
        }
        if self.entrance.is_one_by_one() {
            self.entrance = self.entrance.one_by_one(!self.fds.is_empty());
            let dir = fs::open(self.namespaces, O_PATH | O_DIRECTORY)?;
            for kind in [CLONE_NEWPID].into_iter().chain(self.entrance.doors()) {
                self.push(fs::openat(dir.raw(), name_of(kind), O_RDONLY, 0)?)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, fd: Fd) -> Result<()> {
        self.fds.push(fd).map_err(|_| Errno::E2BIG)
    }
}

/// A namespace that a client enters where setns does not take a pidfd.
fn name_of(kind: u32) -> &'static CStr {
    match kind {
        CLONE_NEWIPC => c"ipc",
        CLONE_NEWUTS => c"uts",
        CLONE_NEWCGROUP => c"cgroup",
        CLONE_NEWNET => c"net",
        CLONE_NEWNS => c"mnt",
        CLONE_NEWUSER => c"user",
        _ => c"pid",
    }
}
