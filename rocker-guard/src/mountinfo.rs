//! `MountInfo`: the mounts of this mount namespace.

use core::cell::OnceCell;
use rocker_sys::memory::Pages;
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Result, fs};

/// `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`), read once, and only if somebody wants to know: with two thousand mounts
/// that takes as long as the rest of a launch. A snapshot, because the kernel may give the mounts that we add while we read
/// anywhere in the list.
pub(crate) struct MountInfo(OnceCell<Text>);

struct Text {
    pages: Pages,
    len: usize,
}

impl MountInfo {
    /// Nothing is read yet.
    pub(crate) const fn unread() -> Self {
        Self(OnceCell::new())
    }

    /// Reads it, unless that has been done.
    pub(crate) fn read(&self) -> Result<()> {
        if self.0.get().is_none() {
            let text = Text::read()?;
            self.0.get_or_init(|| text);
        }
        Ok(())
    }

    /// The mount points, parents before what is mounted in them.
    pub(crate) fn mount_points(&self) -> Result<impl Iterator<Item = MountPoint<'_>>> {
        self.read()?;
        let text = self.0.get().map(Text::bytes).unwrap_or_default();
        Ok(text
            .split(|byte| *byte == b'\n')
            .filter_map(MountPoint::of_line))
    }
}

impl Text {
    /// The first guess, in bytes: about a hundred mounts. Doubled until everything fits.
    const SIZE: usize = 16 * 1024;

    fn read() -> Result<Self> {
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
                0 => return Ok(Self { pages, len }),
                read => len = len.saturating_add(read),
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        self.pages.as_slice().get(..self.len).unwrap_or_default()
    }
}

/// A mount point as mountinfo writes it: space, tab, newline and backslash as `\` and three octal digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MountPoint<'a>(&'a [u8]);

impl<'a> MountPoint<'a> {
    /// The fifth field.
    fn of_line(line: &'a [u8]) -> Option<Self> {
        line.split(|byte| *byte == b' ').nth(4).map(Self)
    }

    /// The path's bytes.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        let mut rest = self.0;
        core::iter::from_fn(move || match rest {
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                tail @ ..,
            ] => {
                rest = tail;
                Some((a & 3) << 6 | (b & 7) << 3 | (c & 7))
            }
            [byte, tail @ ..] => {
                rest = tail;
                Some(*byte)
            }
            [] => None,
        })
    }

    /// What follows `dir/`, if it lies strictly below that directory.
    pub(crate) fn below(self, dir: &[u8]) -> Option<impl Iterator<Item = u8> + 'a> {
        let mut bytes = self.bytes();
        let inside =
            dir.iter().all(|byte| bytes.next() == Some(*byte)) && bytes.next() == Some(b'/');
        inside.then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(line: &'static str) -> MountPoint<'static> {
        MountPoint::of_line(line.as_bytes()).unwrap()
    }

    #[test]
    fn escapes_are_decoded() {
        let space =
            point(r"36 35 98:0 / /mnt/a\040b\134\011c rw,noatime master:1 - ext3 /dev/root rw");
        assert_eq!(space.bytes().collect::<Vec<_>>(), b"/mnt/a b\\\tc");
        assert_eq!(
            point(r"1 2 3:4 / /x\400\08y rw - a b c")
                .bytes()
                .collect::<Vec<_>>(),
            br"/x\400\08y"
        );
    }

    #[test]
    fn below_means_strictly_below() {
        let mount = point("36 35 98:0 / /var/lib/x rw - ext3 /dev/root rw");
        let below = |dir: &str| {
            mount
                .below(dir.as_bytes())
                .map(|rest| rest.collect::<Vec<_>>())
        };
        assert_eq!(below("/var"), Some(b"lib/x".to_vec()));
        assert_eq!(below("/var/lib"), Some(b"x".to_vec()));
        assert_eq!(below("/var/lib/x"), None);
        assert_eq!(below("/va"), None);
        assert_eq!(below("/var/lib/xy"), None);
    }

    #[test]
    fn our_own_mounts_can_be_read() {
        let mounts = MountInfo::unread();
        assert!(
            mounts
                .mount_points()
                .unwrap()
                .any(|mount| mount.bytes().eq(*b"/proc"))
        );
    }
}
