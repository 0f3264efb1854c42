//! Who may ask.

use rocker_sys::credentials;
use rocker_sys::socket::Credentials;

/// Root, or whoever the master itself is.
pub(crate) fn may_launch(peer: &Credentials) -> bool {
    peer.uid == 0 || peer.uid == credentials::effective_uid()
}
