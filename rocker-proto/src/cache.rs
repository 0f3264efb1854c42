//! `CacheRequest` and `CacheReply`: an operator's look at the package cache.

use crate::limits::{CACHE_REPLY_MAX, VERSION};
use crate::reader::Reader;
use crate::writer::Writer;
use core::ffi::CStr;

/// What an operator asks, in place of a [`Request`](crate::Request). The answer is one [`CacheReply`] for each package and
/// then one without a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheRequest {
    /// Which packages are mounted?
    List,
    /// Unmount what no sandbox uses; what is left is told.
    Drop,
}

impl CacheRequest {
    /// `RKC` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKC\0");

    /// Bytes on the wire: magic 4, version 2, verb 2.
    pub const SIZE: usize = 8;

    /// As it is sent.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let verb: u16 = match self {
            Self::List => 1,
            Self::Drop => 2,
        };
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer(&mut bytes);
        writer.put(Self::MAGIC.to_le_bytes());
        writer.put(VERSION.to_le_bytes());
        writer.put(verb.to_le_bytes());
        bytes
    }

    /// What was received; `None` if it is nothing of this kind, or of another version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u32()? != Self::MAGIC || reader.u16()? != VERSION {
            return None;
        }
        let request = match reader.u16()? {
            1 => Self::List,
            2 => Self::Drop,
            _ => return None,
        };
        reader.is_empty().then_some(request)
    }
}

/// One package in the cache, or, without a path, the end of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheReply<'a> {
    /// How many sandboxes use it. At the end: how many packages were unmounted.
    pub users: u32,
    /// How long nobody has used it, in milliseconds.
    pub idle_ms: u32,
    /// The file, as the request named it that brought it.
    pub package: Option<&'a CStr>,
}

impl<'a> CacheReply<'a> {
    /// `RKP` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKP\0");

    /// The fixed part: magic 4, version 2, length of the path with its NUL 2, users 4, milliseconds 4.
    const HEADER: usize = 16;

    /// As it is sent; `None` if the path is longer than a request can hold.
    pub fn encode(&self) -> Option<heapless::Vec<u8, CACHE_REPLY_MAX>> {
        let mut packet = heapless::Vec::new();
        packet.resize_default(Self::HEADER).ok()?;
        let path = self
            .package
            .map(CStr::to_bytes_with_nul)
            .unwrap_or_default();
        packet.extend_from_slice(path).ok()?;
        let mut header = Writer(&mut packet);
        header.put(Self::MAGIC.to_le_bytes());
        header.put(VERSION.to_le_bytes());
        header.put(u16::try_from(path.len()).ok()?.to_le_bytes());
        header.put(self.users.to_le_bytes());
        header.put(self.idle_ms.to_le_bytes());
        Some(packet)
    }

    /// What was received; `None` if it is nothing of this kind, or of another version.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u32()? != Self::MAGIC || reader.u16()? != VERSION {
            return None;
        }
        let len = reader.u16()?.into();
        let (users, idle_ms) = (reader.u32()?, reader.u32()?);
        let package = reader.string(len)?;
        reader.is_empty().then_some(Self {
            users,
            idle_ms,
            package,
        })
    }
}
