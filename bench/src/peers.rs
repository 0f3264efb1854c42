//! What others do who start a program in a sandbox, so that a whole command of ours can take turns with theirs.
//!
//! With **equal work**: what a peer cannot mount itself, the package and the overlays, the floor program mounts before it
//! executes the peer. **Plain**: only what the peer does by itself, with a program that is already there.

mod bundle;
mod docker;
mod peer;
mod site;
mod whole;

pub use docker::Docker;
pub use peer::{PEERS, Peer, find};
pub use site::Site;
pub use whole::{Kind, Whole};
