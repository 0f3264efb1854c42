//! No spare guard: a build that makes each when it is asked for.

use super::Server;
use crate::registry::Key;

impl Server<'_> {
    pub(super) fn want_spare(&mut self, _: Key) {}

    pub(super) fn keep_spare(&mut self) {}

    pub(super) fn take_spare(&mut self, _: u32) -> Option<Key> {
        None
    }

    pub(super) fn drop_spare(&mut self) {}
}
