//! `MountPoints`: where something is mounted in this mount namespace.

/// The mount points of the namespace that the guard's is a copy of, one in a line, parents before what is mounted in them.
///
/// Not read by the guard: with two thousand mounts that takes longer than the rest of a launch, and they are the same from
/// one launch to the next.
#[derive(Clone, Copy, Debug)]
pub struct MountPoints<'a>(&'a [u8]);

impl<'a> MountPoints<'a> {
    /// Lines as they stand in the fifth field of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).
    pub const fn of_lines(lines: &'a [u8]) -> Self {
        Self(lines)
    }

    /// Each of them.
    pub(crate) fn iter(self) -> impl Iterator<Item = MountPoint<'a>> {
        self.0.split(|byte| *byte == b'\n').map(MountPoint)
    }
}

/// A mount point as mountinfo writes it: space, tab, newline and backslash as `\` and three octal digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MountPoint<'a>(&'a [u8]);

impl<'a> MountPoint<'a> {
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

    fn bytes_of(line: &'static str) -> Vec<u8> {
        MountPoint(line.as_bytes()).bytes().collect()
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(bytes_of(r"/mnt/a\040b\134\011c"), b"/mnt/a b\\\tc");
        assert_eq!(bytes_of(r"/x\400\08y"), br"/x\400\08y");
    }

    #[test]
    fn below_means_strictly_below() {
        let mounts = MountPoints::of_lines(b"/var/lib/x\n");
        let below = |dir: &str| {
            let mount = mounts.iter().next().unwrap();
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
    fn what_follows_the_last_line_is_below_nothing() {
        let mounts = MountPoints::of_lines(b"/a\n");
        let below: Vec<_> = mounts.iter().map(|it| it.below(b"").is_some()).collect();
        assert_eq!(below, [true, false]);
    }
}
