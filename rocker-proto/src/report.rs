//! `Report`: what master and guard tell each other while a sandbox is built.

use crate::reader::Reader;
use crate::{Failure, Stage};

/// A stage reached, or where it failed. The same 8 bytes both ways: stage, index, errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report(pub Failure);

impl Report {
    /// Bytes on the wire.
    pub const SIZE: usize = 8;

    /// This stage is reached.
    pub const fn reached(stage: Stage) -> Self {
        Self(Failure::new(stage, 0))
    }

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let [s0, s1] = self.0.stage.raw().to_le_bytes();
        let [i0, i1] = self.0.index.to_le_bytes();
        let [e0, e1, e2, e3] = self.0.errno.to_le_bytes();
        [s0, s1, i0, i1, e0, e1, e2, e3]
    }

    /// What was received; `None` if it is not 8 bytes. Stage and errno may be any number.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (stage, index, errno) = (reader.u16()?, reader.u16()?, reader.i32()?);
        reader.is_empty().then_some(Self(Failure {
            stage: Stage::from_raw(stage),
            errno,
            index,
        }))
    }
}
