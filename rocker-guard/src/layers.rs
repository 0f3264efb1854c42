//! `Layers`: where the changes of one overlay are kept, below the App's data directory.
//!
//! `DATA_DIR/.rocker/NAME/{upper,workN}`, of which `.rocker` and `NAME` belong to root and are closed to everybody else
//! (0700), so that no App can put anything in the layers' place between two launches. NAME is the overlaid directory's own
//! path, so the same directory finds its changes again; N is the sandbox's [`Seat`].

use crate::seat::Seat;
use core::ffi::CStr;
use rocker_proto::Request;
use rocker_sys::fs::{self, Stat};
use rocker_sys::raw::general::{O_DIRECTORY, O_NOFOLLOW, O_RDONLY};
use rocker_sys::{Errno, Fd, Result};

/// The upper and the work directory of one overlay (`overlayfs.rst` of the kernel).
pub(crate) struct Layers {
    pub(crate) upper: Fd,
    pub(crate) work: Fd,
}

/// The store of all layers of one data directory.
pub(crate) struct LayerStore {
    dir: Fd,
    seat: Seat,
}

impl LayerStore {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// `EPERM`: something is in its place that root did not make.
    pub(crate) fn open(data_dir: &Fd) -> Result<Self> {
        let (dir, _) = open_or_make(data_dir, c".rocker")?;
        let dir = closed(dir)?;
        let seat = Seat::take(&dir)?;
        Ok(Self { dir, seat })
    }

    /// What must be held as long as an overlay is mounted.
    pub(crate) fn into_seat(self) -> Seat {
        self.seat
    }

    /// Can the file system hold upper layers? Overlayfs itself cannot: its mount would say a bare `EINVAL`.
    pub(crate) fn holds_layers(&self) -> Result<bool> {
        Ok(fs::fstatfs(self.dir.raw())?.magic != fs::StatFs::OVERLAYFS)
    }

    /// The layers for the directory with this canonical path and this status.
    pub(crate) fn layers(
        &self,
        path: &[u8],
        lower: &Stat,
        request: &Request<'_>,
        owned: bool,
    ) -> Result<Layers> {
        let name = LayerName::of(path);
        let (dir, _) = open_or_make(&self.dir, name.as_c_str())?;
        let dir = closed(dir)?;
        let (upper, is_new) = open_or_make(&dir, c"upper")?;
        let (work, _) = open_or_make(&dir, self.seat.work()?.as_c_str())?;
        give_to_app(&upper, is_new, lower, request, owned)?;
        Ok(Layers { upper, work })
    }
}

/// The root of an upper layer decides who may do what at the top of the overlaid directory. It belongs to the App, so that
/// an unprivileged one can create entries there; its mode is that of the directory below it.
///
/// An overlay that nobody asked for by name (the default list) opens nothing: a directory that the App's ids could not
/// enter on the host keeps its owner and its mode.
fn give_to_app(
    upper: &Fd,
    is_new: bool,
    lower: &Stat,
    request: &Request<'_>,
    named: bool,
) -> Result<()> {
    let (uid, gid, mode) = if named || may_enter(lower, request) {
        (request.uid, request.gid, lower.mode & 0o1777 | 0o700)
    } else {
        (lower.uid, lower.gid, lower.mode & 0o1777)
    };
    let now = fs::fstat(upper.raw())?;
    let is_s = now.uid == uid && now.gid == gid;
    if !is_s {
        fs::fchown(upper.raw(), uid, gid)?;
    }
    // What the App itself has changed since stays changed.
    if is_new || !is_s {
        fs::fchmod(upper.raw(), mode)?;
    }
    Ok(())
}

/// Do the permission bits let these ids search the directory?
fn may_enter(dir: &Stat, request: &Request<'_>) -> bool {
    let execute = if dir.uid == request.uid {
        0o100
    } else if dir.gid == request.gid {
        0o010
    } else {
        0o001
    };
    dir.mode & execute != 0
}

/// A directory, and whether it was made just now.
fn open_or_make(parent: &Fd, name: &CStr) -> Result<(Fd, bool)> {
    let open = || fs::openat(parent.raw(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    match open() {
        Err(Errno::ENOENT) => {}
        result => return result.map(|dir| (dir, false)),
    }
    match fs::mkdirat(parent.raw(), name, 0o700) {
        // EEXIST: another launch of the same App was faster.
        Ok(()) | Err(Errno::EEXIST) => open().map(|dir| (dir, true)),
        Err(errno) => Err(errno),
    }
}

fn closed(dir: Fd) -> Result<Fd> {
    let stat = fs::fstat(dir.raw())?;
    if stat.uid == 0 && stat.mode & 0o077 == 0 {
        Ok(dir)
    } else {
        Err(Errno::EPERM)
    }
}

/// A directory's path as one file name: without the first slash, `/` written `+`, and `+` and `%` written `%2B` and `%25`.
/// A name that grows too long keeps its beginning and ends in a hash of the whole path.
struct LayerName([u8; Self::SIZE]);

impl LayerName {
    /// `NAME_MAX` is 255 bytes; the NUL is one more.
    const SIZE: usize = 256;
    /// `~` and 16 hexadecimal digits.
    const HASH: usize = 17;

    fn of(path: &[u8]) -> Self {
        let mut name = [0; Self::SIZE];
        let written = path
            .iter()
            .skip(1)
            .flat_map(|byte| escape(*byte).iter().copied());
        let mut slots = name.iter_mut();
        let mut fits = true;
        for byte in written {
            match slots.next() {
                Some(slot) => *slot = byte,
                None => fits = false,
            }
        }
        // The last slot is the NUL's.
        if !fits || name.last() != Some(&0) {
            Self::end_in_hash(&mut name, path);
        }
        Self(name)
    }

    fn end_in_hash(name: &mut [u8; Self::SIZE], path: &[u8]) {
        let digits = (0..16u32)
            .rev()
            .map(|digit| hex(fnv1a(path) >> digit.wrapping_mul(4)));
        let end = [b'~'].into_iter().chain(digits).chain([0]);
        let start = Self::SIZE.saturating_sub(Self::HASH).saturating_sub(1);
        for (slot, byte) in name.iter_mut().skip(start).zip(end) {
            *slot = byte;
        }
    }

    fn as_c_str(&self) -> &CStr {
        // `of` leaves the last byte 0.
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"+")
    }
}

fn escape(byte: u8) -> &'static [u8] {
    /// Every byte, so that one of them can be borrowed.
    const BYTES: [u8; 256] = {
        let mut bytes = [0; 256];
        let mut value = 0u8;
        while value < 255 {
            #[allow(
                clippy::indexing_slicing,
                clippy::arithmetic_side_effects,
                reason = "evaluated while compiling"
            )]
            {
                bytes[value as usize] = value;
                value += 1;
            }
        }
        bytes[255] = 255;
        bytes
    };
    match byte {
        b'/' => b"+",
        b'+' => b"%2B",
        b'%' => b"%25",
        other => BYTES
            .get(usize::from(other)..)
            .and_then(|rest| rest.get(..1))
            .unwrap_or_default(),
    }
}

fn hex(value: u64) -> u8 {
    let digit = (value & 15) as u8;
    if digit < 10 {
        b'0'.wrapping_add(digit)
    } else {
        b'a'.wrapping_add(digit).wrapping_sub(10)
    }
}

/// FNV-1a. Two paths of one App that collide would share a layer; overlayfs then refuses the second mount as busy.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> String {
        LayerName::of(path.as_bytes())
            .as_c_str()
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn names_are_paths_without_slashes() {
        assert_eq!(name("/var/lib"), "var+lib");
        assert_eq!(name("/a+b/c%d"), "a%2Bb+c%25d");
        assert_eq!(name("/a,b:c d\u{e4}"), "a,b:c d\u{e4}");
    }

    #[test]
    fn long_names_end_in_a_hash() {
        let longest = format!("/{}", "x".repeat(255));
        assert_eq!(name(&longest), "x".repeat(255));
        let (a, b) = (format!("{longest}a"), format!("{longest}b"));
        assert_eq!(name(&a).len(), 255);
        assert!(name(&a).starts_with("xxx") && name(&a).contains('~'));
        assert_ne!(name(&a), name(&b));
    }
}
