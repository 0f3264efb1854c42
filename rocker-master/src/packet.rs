//! `Packet`: a request as it came.

use crate::call::Trailer;
use rocker_sys::Result;
use rocker_sys::memory::Pages;
use rocker_sys::socket::Credentials;

/// A request and who sent it, kept to name its paths: in the log while a sandbox is built, and in the package cache.
pub(crate) struct Packet {
    pub(crate) pages: Pages,
    pub(crate) len: usize,
    pub(crate) peer: Credentials,
}

impl Packet {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.pages.as_slice().get(..self.len).unwrap_or_default()
    }

    /// The request, with this behind it, for which there is room.
    pub(crate) fn with(&mut self, trailer: &Trailer) -> &[u8] {
        let trailer = trailer.as_flattened();
        let bytes = self.pages.as_mut_slice();
        let room = bytes.get_mut(self.len..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(trailer) {
            *to = *from;
        }
        let len = self.len.saturating_add(trailer.len());
        bytes.get(..len).unwrap_or_default()
    }

    pub(crate) fn copy(&self) -> Result<Self> {
        let mut pages = Pages::new(self.len)?;
        // copy_from_slice would bring its check of the lengths, that is, a panic.
        for (to, from) in pages.as_mut_slice().iter_mut().zip(self.bytes()) {
            *to = *from;
        }
        Ok(Self {
            pages,
            len: self.len,
            peer: self.peer,
        })
    }
}
