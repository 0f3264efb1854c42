//! The table of uids and gids; inodes carry 16-bit positions in it.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// Numbers ids in the order in which they come.
#[derive(Default)]
pub(crate) struct IdTable {
    numbers: HashMap<u32, u16>,
    records: Vec<u8>,
}

impl IdTable {
    /// The position of `id`, which may be a uid or a gid.
    pub(crate) fn number(&mut self, id: u32) -> Result<u16> {
        if let Some(&number) = self.numbers.get(&id) {
            return Ok(number);
        }
        let number = self.len()?;
        self.numbers.insert(id, number);
        self.records.extend_from_slice(&id.to_le_bytes());
        Ok(number)
    }

    /// How many ids there are.
    pub(crate) fn len(&self) -> Result<u16> {
        u16::try_from(self.numbers.len())
            .map_err(|_| Error::Limit("more than 65535 different uids and gids".into()))
    }

    /// The ids as they go to the disk.
    pub(crate) fn records(&self) -> &[u8] {
        &self.records
    }
}
