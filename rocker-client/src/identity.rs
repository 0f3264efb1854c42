//! `Identity`: who a new process becomes on its way into a sandbox.

use rocker_proto::Request;
use rocker_sys::credentials::LEAVE;

/// The App's ids.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The saved user id, which may stay the host's for a while.
    pub(crate) saved_uid: u32,
}

impl Identity {
    /// All at once.
    pub(crate) fn new(uid: u32, gid: u32) -> Self {
        Self {
            uid,
            gid,
            saved_uid: uid,
        }
    }

    pub(crate) fn of(request: &Request<'_>) -> Self {
        Self::new(request.uid, request.gid)
    }

    /// But for the saved user id, which becomes the same when a program is executed.
    ///
    /// Until then the process has the host's memory. The kernel lets the host go on a moment before it has given the new program
    /// a memory of its own (`exec_mm_release` in `exec_mmap` of fs/exec.c), and then the host makes its own dumpable again. An
    /// App that is in the sandbox already could read it, or a process of the same user's on the host, if all ids were theirs
    /// (`ptrace(2)`).
    pub(crate) fn until_exec(self) -> Self {
        Self {
            saved_uid: LEAVE,
            ..self
        }
    }
}
