//! The caller's window on a build.

/// Told how far a build is, and asked whether to go on. All methods do nothing by default.
pub trait Observer {
    /// Something else begins, in words for people.
    fn phase(&self, _what: &str) {}

    /// The scan is over; this many bytes of content will be read.
    fn start(&self, _total_bytes: u64) {}

    /// So many more bytes of the total are done.
    fn advance(&self, _bytes: u64) {}

    /// Asked often; `true` ends the build with [`crate::Error::Cancelled`] and leaves nothing behind.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing.
pub(crate) struct Unobserved;

impl Observer for Unobserved {}
