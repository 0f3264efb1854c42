//! `ExecRequest` and `ExecReply`: an operator's way into a sandbox that runs.

use crate::limits::{ID_MAX, NAME_SIZE, VERSION};
use crate::reader::Reader;
use crate::writer::Writer;

/// Asks for the way into a sandbox, in place of a [`Request`](crate::Request). The answer is a [`Reply`](crate::Reply) as that
/// sandbox's guard sends it first to who launches, or what failed; then one packet more, with a program for `seccomp(2)` in it,
/// unless the App has no filter, and behind that an [`ExecReply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecRequest {
    /// The guard's name, NUL-padded.
    pub name: [u8; NAME_SIZE],
}

impl ExecRequest {
    /// `RKE` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKE\0");

    /// Bytes on the wire: magic 4, version 2, name 16.
    pub const SIZE: usize = 22;

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer(&mut bytes);
        writer.put(Self::MAGIC.to_le_bytes());
        writer.put(VERSION.to_le_bytes());
        writer.put(self.name);
        bytes
    }

    /// What was received; `None` if it is nothing of this kind, or of another version. The name may be any bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u32()? != Self::MAGIC || reader.u16()? != VERSION {
            return None;
        }
        let name = reader.array()?;
        reader.is_empty().then_some(Self { name })
    }
}

/// Who enters a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecReply {
    /// The App's user id, which whoever enters has from then on.
    pub uid: u32,
    /// The App's group id, likewise.
    pub gid: u32,
}

impl ExecReply {
    /// `RKI` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKI\0");

    /// Bytes on the wire: magic 4, uid 4, gid 4.
    pub const SIZE: usize = 12;

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer(&mut bytes);
        writer.put(Self::MAGIC.to_le_bytes());
        writer.put(self.uid.to_le_bytes());
        writer.put(self.gid.to_le_bytes());
        bytes
    }

    /// What was received; `None` if it is nothing of this kind, or an id is one that no App can have.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (magic, uid, gid) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let are_ids = [uid, gid].iter().all(|id| (1..=ID_MAX).contains(id));
        (magic == Self::MAGIC && are_ids).then_some(Self { uid, gid })
    }
}
