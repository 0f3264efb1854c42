//! `Reply`: what the client gets for its request.

use crate::limits::{NAME_SIZE, VERSION};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Entrance, Failure, Stage};

/// A sandbox, by whom and how to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The guard's name, NUL-padded.
    pub name: [u8; NAME_SIZE],
    /// What came with the first message that says so.
    pub entrance: Entrance,
}

/// That there is a sandbox, and later that it is ready; or what failed. Success is a message: the end of the connection is a
/// failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The sandbox, or why there is none.
    pub outcome: Result<Welcome, Failure>,
}

impl Reply {
    /// `RKA` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKA\0");

    /// Bytes on the wire: magic 4, version 2, stage 2, errno 4, index 2, entrance 2 (0 with a failure), name 16.
    pub const SIZE: usize = 32;

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let (failure, entrance, name) = match self.outcome {
            Ok(welcome) => (
                Failure::new(Stage::READY, 0),
                welcome.entrance.raw(),
                welcome.name,
            ),
            Err(failure) => (failure, 0, [0; NAME_SIZE]),
        };
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer(&mut bytes);
        writer.put(Self::MAGIC.to_le_bytes());
        writer.put(VERSION.to_le_bytes());
        writer.put(failure.stage.raw().to_le_bytes());
        writer.put(failure.errno.to_le_bytes());
        writer.put(failure.index.to_le_bytes());
        writer.put(entrance.to_le_bytes());
        writer.put(name);
        bytes
    }

    /// Does this one say that the sandbox is ready? Only the start of it is looked at.
    pub fn is_ready(bytes: &[u8; Self::SIZE]) -> bool {
        let mut reader = Reader(bytes);
        let (magic, version, stage) = (reader.u32(), reader.u16(), reader.u16());
        (magic, version, stage) == (Some(Self::MAGIC), Some(VERSION), Some(Stage::READY.raw()))
    }

    /// What was received; `None` if it is not a reply of this version, or is READY with an entrance that nobody knows, or
    /// with a name that is empty, has no NUL or holds what cannot be printed. What one outcome does not have is empty in it.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        // All at once: the size is checked in one place, and nowhere below.
        let bytes: &[u8; Self::SIZE] = bytes.try_into().ok()?;
        let mut reader = Reader(bytes);
        if reader.u32()? != Self::MAGIC || reader.u16()? != VERSION {
            return None;
        }
        let failure = Failure {
            stage: Stage::from_raw(reader.u16()?),
            errno: reader.i32()?,
            index: reader.u16()?,
        };
        let entrance = reader.u16()?;
        let name = reader.array()?;
        // One form for each outcome: nothing may hide in fields that it does not have.
        let outcome = if failure.stage == Stage::READY {
            (failure == Failure::new(Stage::READY, 0)).then_some(())?;
            Ok(Welcome {
                name: is_name(&name).then_some(name)?,
                entrance: Entrance::from_raw(entrance)?,
            })
        } else {
            (entrance == 0 && name == [0; NAME_SIZE]).then_some(Err(failure))?
        };
        Some(Self { outcome })
    }
}

/// Printable ASCII, at least one, then NULs to the end.
fn is_name(name: &[u8; NAME_SIZE]) -> bool {
    let [first, .., last] = name;
    let mut before = *first;
    let ordered = name.iter().all(|byte| {
        let good = *byte == 0 || (before != 0 && byte.is_ascii_graphic());
        before = *byte;
        good
    });
    *first != 0 && *last == 0 && ordered
}
