//! `Sha512`: the hash of a message that comes in pieces (FIPS 180-4).
//!
//! The crate's own way to do this can panic, as far as a compiler sees; its compression of one block cannot.

use sha2::compress512;

const BLOCK: usize = 128;

/// Where the length goes, in bits, at the end of the last block.
const LENGTH_AT: usize = BLOCK - 16;

/// The first 64 bits of the fractions of the square roots of the first eight primes (5.3.5).
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// A hash under way.
pub(crate) struct Sha512 {
    state: [u64; 8],
    /// What does not fill a block yet.
    pending: [u8; BLOCK],
    filled: usize,
    length: u64,
}

impl Sha512 {
    pub(crate) fn new() -> Self {
        Self {
            state: START,
            pending: [0; BLOCK],
            filled: 0,
            length: 0,
        }
    }

    pub(crate) fn absorb(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        if self.filled > 0 {
            rest = self.fill(rest);
        }
        let (blocks, rest) = rest.as_chunks();
        for block in blocks {
            compress(&mut self.state, block);
        }
        self.fill(rest);
    }

    /// Adds to the block that is not full; gives what there is no room for.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = self.pending.get_mut(self.filled..).unwrap_or_default();
        let taken = room.len().min(bytes.len());
        for (slot, byte) in room.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.filled = self.filled.saturating_add(taken);
        if self.filled == BLOCK {
            compress(&mut self.state, &self.pending);
            self.filled = 0;
        }
        bytes.get(taken..).unwrap_or_default()
    }

    pub(crate) fn finish(mut self) -> [u8; 64] {
        let bits = u128::from(self.length).wrapping_mul(8).to_be_bytes();
        self.fill(&[0x80]);
        while self.filled != LENGTH_AT {
            self.fill(&[0]);
        }
        self.fill(&bits);
        let mut hash = [0; 64];
        let (slots, _) = hash.as_chunks_mut();
        for (slot, word) in slots.iter_mut().zip(self.state) {
            *slot = word.to_be_bytes();
        }
        hash
    }
}

// One copy of it, and of the table that goes with it.
#[inline(never)]
fn compress(state: &mut [u64; 8], block: &[u8; BLOCK]) {
    compress512(state, core::slice::from_ref(block.into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: [u8; 64]) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn hash(message: &[u8]) -> [u8; 64] {
        let mut sha = Sha512::new();
        sha.absorb(message);
        sha.finish()
    }

    /// The examples of FIPS 180-4: none, one and two blocks.
    #[test]
    fn known_messages_have_the_known_hashes() {
        assert!(
            hex(hash(b""))
                .starts_with("cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce")
        );
        assert!(
            hex(hash(b"abc"))
                .starts_with("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a")
        );
        let two = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
        assert!(
            hex(hash(two))
                .starts_with("8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018")
        );
    }

    #[test]
    fn pieces_of_any_length_give_the_same_hash() {
        let message: Vec<u8> = (0..1000u32).map(|number| (number * 7) as u8).collect();
        for len in [0, 1, 111, 112, 127, 128, 129, 255, 256, 1000] {
            let whole = hash(&message[..len]);
            for piece in [1, 63, 64, 127, 128, 129, 400] {
                let mut sha = Sha512::new();
                message[..len]
                    .chunks(piece)
                    .for_each(|piece| sha.absorb(piece));
                assert_eq!(sha.finish(), whole, "{len} bytes in pieces of {piece}");
            }
        }
    }
}
