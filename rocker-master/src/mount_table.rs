//! `MountTable`: what is mounted in the master's mount namespace, for its guards, whose namespaces are copies of it.

use rocker_guard::MountPoints;
use rocker_sys::memory::Pages;
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Result, fs};

/// The mount points, one in a line. Guards read them in their copies of the master's memory.
pub(crate) struct MountTable {
    pages: Pages,
    len: usize,
}

impl MountTable {
    /// The first guess at the size of mountinfo, in bytes: about a hundred mounts. Doubled until everything fits.
    const SIZE: usize = 16 * 1024;

    /// Reads `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).
    pub(crate) fn read() -> Result<Self> {
        let file = fs::open(c"/proc/self/mountinfo", O_RDONLY)?;
        let mut pages = Pages::new(Self::SIZE)?;
        let mut len = 0usize;
        loop {
            let room = pages.as_mut_slice().get_mut(len..).unwrap_or_default();
            if room.is_empty() {
                pages.grow(len.saturating_mul(2))?;
                continue;
            }
            match fs::read(file.raw(), room)? {
                0 => break,
                read => len = len.saturating_add(read),
            }
        }
        let text = pages.as_mut_slice().get_mut(..len).unwrap_or_default();
        let len = keep_mount_points(text);
        Ok(Self { pages, len })
    }

    pub(crate) fn points(&self) -> MountPoints<'_> {
        MountPoints::of_lines(self.pages.as_slice().get(..self.len).unwrap_or_default())
    }
}

/// Leaves of each line its fifth field alone; says how much that is.
fn keep_mount_points(text: &mut [u8]) -> usize {
    const MOUNT_POINT: u32 = 4;
    let (mut field, mut kept) = (0u32, 0usize);
    for position in 0..text.len() {
        let byte = text.get(position).copied().unwrap_or_default();
        match byte {
            b' ' => field = field.saturating_add(1),
            b'\n' => field = 0,
            _ => {}
        }
        let is_wanted = byte == b'\n' || field == MOUNT_POINT && byte != b' ';
        // Never behind the position.
        if let (true, Some(slot)) = (is_wanted, text.get_mut(kept)) {
            *slot = byte;
            kept = kept.saturating_add(1);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_points_are_kept() {
        let mut text = *b"36 35 98:0 / /mnt/a\\040b rw,noatime master:1 - ext3 /dev/root rw\n1 2 0:4 /x / rw - a b c\n";
        let kept = keep_mount_points(&mut text);
        assert_eq!(&text[..kept], b"/mnt/a\\040b\n/\n");
    }

    #[test]
    fn our_own_mounts_are_read() {
        let table = MountTable::read().unwrap();
        let lines = &table.pages.as_slice()[..table.len];
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let points: Vec<_> = mounts
            .lines()
            .map(|it| it.split(' ').nth(1).unwrap())
            .collect();
        let ours: Vec<_> = str::from_utf8(lines).unwrap().lines().collect();
        assert_eq!(ours, points);
    }
}
