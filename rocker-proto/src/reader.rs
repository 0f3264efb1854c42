//! `Reader`: takes a message apart from the front.

use core::ffi::CStr;

/// The bytes of a message that have not been read yet.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    /// The next N bytes.
    #[inline(always)]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    #[inline(always)]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline(always)]
    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// The next string, of so many bytes with its NUL: `None` inside for a length of 0, `None` outside for a missing or
    /// early NUL.
    pub(crate) fn string(&mut self, len: usize) -> Option<Option<&'a CStr>> {
        let bytes = self.take(len)?;
        if bytes.is_empty() {
            return Some(None);
        }
        // Not `from_bytes_with_nul`, which would bring a second search for the NUL into programs that have this one.
        let text = CStr::from_bytes_until_nul(bytes).ok()?;
        (text.to_bytes_with_nul().len() == len).then_some(Some(text))
    }

    /// Is it the end?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
