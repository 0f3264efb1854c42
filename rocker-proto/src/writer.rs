//! `Writer`: puts a message together from the front.

/// The room of a message that has not been written yet. Its size is that of the message, so everything fits; what did not
/// would be left out.
pub(crate) struct Writer<'a>(pub(crate) &'a mut [u8]);

impl Writer<'_> {
    /// The next N bytes.
    pub(crate) fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        let room = core::mem::take(&mut self.0);
        if let Some((slot, rest)) = room.split_first_chunk_mut::<N>() {
            *slot = bytes;
            self.0 = rest;
        }
    }
}
