//! `LayerName`: an overlaid directory, as the name of its layers.

use core::ffi::CStr;

/// A directory's path as one file name: without the first slash, `/` written `+`, and `+` and `%` written `%2B` and `%25`.
/// A name that grows too long keeps its beginning and ends in a hash of the whole path.
pub(crate) struct LayerName([u8; Self::SIZE]);

impl LayerName {
    /// `NAME_MAX` is 255 bytes; the NUL is one more.
    const SIZE: usize = 256;
    /// `~` and 16 hexadecimal digits.
    const HASH: usize = 17;

    /// The name for this path.
    #[inline(never)] // smaller by itself
    pub(crate) fn of(path: &[u8]) -> Self {
        let mut name = [0; Self::SIZE];
        let written = path
            .iter()
            .skip(1)
            .flat_map(|byte| escape(byte).iter().copied());
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
        let Some([tilde, digits @ .., nul]) = name.last_chunk_mut::<{ Self::HASH + 1 }>() else {
            return;
        };
        let mut rest = fnv1a(path);
        for digit in digits.iter_mut().rev() {
            *digit = hex(rest);
            rest >>= 4;
        }
        (*tilde, *nul) = (b'~', 0);
    }

    /// As the path of a system call.
    pub(crate) fn as_c_str(&self) -> &CStr {
        // `of` leaves the last byte 0.
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"+")
    }
}

fn escape(byte: &u8) -> &[u8] {
    match byte {
        b'/' => b"+",
        b'+' => b"%2B",
        b'%' => b"%25",
        other => core::slice::from_ref(other),
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
