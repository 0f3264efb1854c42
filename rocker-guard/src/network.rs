//! The App's network: that of whoever launches it, or one of its own with nothing in it.

use crate::step::{At, Step};
use rocker_proto::{Network, Request, Stage};
use rocker_sys::namespace::{self, CLONE_NEWNET};
use rocker_sys::network;

/// Leaves the host's network if that is asked for. The new one has a loopback, which is up: programs that talk to themselves
/// go on doing so.
///
/// The guard does it and not the clone, because it takes long, and the master waits for a clone. It is the host's user
/// namespace that owns the new one: nobody inside can change it. A client that is not root owns it with all the others.
pub(crate) fn leave_host(request: &Request<'_>) -> Step {
    if request.network == Network::HOST {
        return Ok(());
    }
    namespace::unshare(CLONE_NEWNET).at(Stage::NETWORK)?;
    network::bring_up_loopback().at(Stage::NETWORK)
}
