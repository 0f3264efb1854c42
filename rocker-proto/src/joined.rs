//! `Joined`: the client's word to the guard that a process has entered the sandbox.

use crate::limits::VERSION;
use crate::reader::Reader;

/// A process has entered; its pidfd comes with the packet where the kernel has pidfds (5.3). The guard stays until all of
/// them have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined;

impl Joined {
    /// `RKJ` and a zero, then the version.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKJ\0");

    /// Bytes on the wire.
    pub const SIZE: usize = 6;

    /// As it is sent.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let [m0, m1, m2, m3] = Self::MAGIC.to_le_bytes();
        let [v0, v1] = VERSION.to_le_bytes();
        [m0, m1, m2, m3, v0, v1]
    }

    /// Is this the message?
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let known = reader.u32()? == Self::MAGIC && reader.u16()? == VERSION && reader.is_empty();
        known.then_some(Self)
    }
}
