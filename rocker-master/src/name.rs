//! `Names`: what the guards are called.

use rocker_proto::limits::NAME_SIZE;

/// Gives each guard a name of its own: `rk`, seven characters for the start of this master, six for the launch. Unique for
/// the life of the master, and after its restart: the start is counted in 256 us since boot, less than it takes to start a
/// process, and takes a hundred days to come round.
pub(crate) struct Names {
    start: u64,
    launches: u64,
}

impl Names {
    pub(crate) fn new(monotonic_us: u64) -> Self {
        Self {
            start: monotonic_us >> 8,
            launches: 0,
        }
    }

    /// The next name, NUL-padded.
    pub(crate) fn next(&mut self) -> [u8; NAME_SIZE] {
        self.launches = self.launches.wrapping_add(1);
        let mut name = *b"rk0000000000000\0";
        put_digits(name.get_mut(2..9), self.start);
        put_digits(name.get_mut(9..15), self.launches);
        name
    }
}

/// The last digits in base 32, as many as there is room for, the most significant first.
fn put_digits(room: Option<&mut [u8]>, number: u64) {
    const ALPHABET: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";
    let mut rest = number;
    for slot in room.unwrap_or_default().iter_mut().rev() {
        *slot = ALPHABET.get((rest & 31) as usize).copied().unwrap_or(b'0');
        rest >>= 5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_printable() {
        let mut names = Names::new(123_456_789_000);
        let first = names.next();
        assert_eq!(&first, b"rk0ebt68q000001\0");
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            assert!(seen.insert(names.next()));
        }
        assert!(!seen.contains(&Names::new(123_456_789_256).next()));
    }
}
