//! `Identity`: who a new process becomes on its way into a sandbox.

use rocker_proto::Request;

/// The App's ids.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Identity {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        Self {
            uid: request.uid,
            gid: request.gid,
        }
    }
}
