//! Extended attributes: read from files, each distinct set kept once, and written as a table.

use std::collections::HashMap;
use std::path::Path;

use rustix::fs::{lgetxattr, llistxattr};
use rustix::io::Errno;

use crate::encoder::Encoder;
use crate::error::{Context, Error, Result};
use crate::metadata::MetadataWriter;
use crate::warnings::Warnings;

/// The prefixes that squashfs numbers; the rest of the name is stored. Others it cannot hold.
pub(crate) const PREFIXES: [&str; 3] = ["user.", "trusted.", "security."];

/// The distinct sets of extended attributes of a tree.
#[derive(Default)]
pub(crate) struct XattrSets {
    numbers: HashMap<Vec<u8>, u32>,
    /// Each set as it goes to the disk, with the number of its attributes.
    sets: Vec<(Vec<u8>, u32)>,
}

impl XattrSets {
    /// Reads the attributes of `path`, not following a symlink; the number of their set.
    pub(crate) fn read(
        &mut self,
        path: &Path,
        relative: &Path,
        warnings: &mut Warnings,
    ) -> Result<Option<u32>> {
        let list = match grow(|buffer| llistxattr(path, buffer)) {
            Ok(list) => list,
            Err(Errno::OPNOTSUPP) => return Ok(None),
            Err(errno) => return Err(errno).context("list the extended attributes of", path),
        };
        let mut names: Vec<&[u8]> = list
            .split(|&b| b == 0)
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable(); // the file system's order is nobody's business
        let (mut set, mut count) = (Vec::new(), 0);
        for name in names {
            let Some((prefix, suffix)) = split_prefix(name) else {
                let name = String::from_utf8_lossy(name);
                warnings.note(
                    format!("squashfs cannot hold the extended attribute {name}"),
                    relative,
                );
                continue;
            };
            let value = grow(|buffer| lgetxattr(path, name, buffer))
                .context("read an extended attribute of", path)?;
            encode(&mut set, prefix, suffix, &value);
            count += 1;
        }
        if count == 0 {
            Ok(None)
        } else {
            self.number(set, count).map(Some)
        }
    }

    fn number(&mut self, set: Vec<u8>, count: u32) -> Result<u32> {
        if let Some(&number) = self.numbers.get(&set) {
            return Ok(number);
        }
        let number = u32::try_from(self.sets.len())
            .map_err(|_| Error::Limit("too many sets of extended attributes".into()))?;
        self.sets.push((set.clone(), count));
        self.numbers.insert(set, number);
        Ok(number)
    }

    /// How many sets there are.
    pub(crate) fn len(&self) -> u32 {
        self.sets.len() as u32 // `number` has checked it
    }

    /// The attributes themselves, and for each set a record of where they are.
    pub(crate) fn encode(&self, encoder: &mut Encoder) -> Result<(MetadataWriter, Vec<u8>)> {
        let mut pairs = MetadataWriter::default();
        let mut records = Vec::new();
        for (set, count) in &self.sets {
            records.extend_from_slice(&pairs.place()?.reference().to_le_bytes());
            records.extend_from_slice(&count.to_le_bytes());
            records.extend_from_slice(&(set.len() as u32).to_le_bytes());
            pairs.write(set, encoder)?;
        }
        Ok((pairs, records))
    }
}

fn encode(set: &mut Vec<u8>, prefix: u16, suffix: &[u8], value: &[u8]) {
    // The kernel limits a name to 255 bytes and a value to 64 KiB.
    set.extend_from_slice(&prefix.to_le_bytes());
    set.extend_from_slice(&(suffix.len() as u16).to_le_bytes());
    set.extend_from_slice(suffix);
    set.extend_from_slice(&(value.len() as u32).to_le_bytes());
    set.extend_from_slice(value);
}

/// The number of the prefix, and the name without it.
fn split_prefix(name: &[u8]) -> Option<(u16, &[u8])> {
    PREFIXES.iter().zip(0..).find_map(|(prefix, number)| {
        name.strip_prefix(prefix.as_bytes())
            .map(|suffix| (number, suffix))
    })
}

/// Calls with a buffer that grows until the answer fits.
fn grow(call: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1 << 10];
    loop {
        match call(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            // 64 KiB is the kernel's limit for a list and for a value.
            Err(Errno::RANGE) if buffer.len() < 1 << 16 => buffer.resize(1 << 16, 0),
            Err(errno) => return Err(errno),
        }
    }
}
