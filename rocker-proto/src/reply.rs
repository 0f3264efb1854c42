//! `Reply`: what the client gets for its request.

use crate::limits::{NAME_SIZE, VERSION};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Failure, Stage};

/// How many namespace descriptors come with a READY reply: mnt, pid, ipc, uts, user.
pub const NAMESPACES: usize = 5;

/// READY with the guard's name, or what failed. Success is a message: the end of the connection is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The guard's name, NUL-padded, or why there is none.
    pub outcome: Result<[u8; NAME_SIZE], Failure>,
}

impl Reply {
    /// `RKA` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKA\0");

    /// Bytes on the wire: magic 4, version 2, stage 2, errno 4, index 2, zero 2, name 16.
    pub const SIZE: usize = 32;

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let (failure, name) = match self.outcome {
            Ok(name) => (Failure::new(Stage::READY, 0), name),
            Err(failure) => (failure, [0; NAME_SIZE]),
        };
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer(&mut bytes);
        writer.put(Self::MAGIC.to_le_bytes());
        writer.put(VERSION.to_le_bytes());
        writer.put(failure.stage.raw().to_le_bytes());
        writer.put(failure.errno.to_le_bytes());
        writer.put(failure.index.to_le_bytes());
        writer.put([0; 2]);
        writer.put(name);
        bytes
    }

    /// What was received; `None` if it is not a reply of this version, or is READY with a name that is empty, has no NUL
    /// or holds what cannot be printed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u32()? != Self::MAGIC || reader.u16()? != VERSION {
            return None;
        }
        let stage = Stage::from_raw(reader.u16()?);
        let errno = reader.i32()?;
        let index = reader.u16()?;
        if reader.u16()? != 0 {
            return None;
        }
        let name: [u8; NAME_SIZE] = reader.take(NAME_SIZE)?.try_into().ok()?;
        if !reader.is_empty() {
            return None;
        }
        if stage != Stage::READY {
            return Some(Self {
                outcome: Err(Failure {
                    stage,
                    errno,
                    index,
                }),
            });
        }
        is_name(&name).then_some(Self { outcome: Ok(name) })
    }
}

/// Printable ASCII, at least one, then NULs to the end.
fn is_name(name: &[u8; NAME_SIZE]) -> bool {
    let len = name
        .iter()
        .take_while(|byte| byte.is_ascii_graphic())
        .count();
    (1..NAME_SIZE).contains(&len) && name.iter().skip(len).all(|byte| *byte == 0)
}
