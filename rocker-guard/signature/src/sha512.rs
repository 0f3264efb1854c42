//! `Sha512`: the hash of a message that comes in pieces (FIPS 180-4).
//!
//! Its rounds are a loop, which is a third of the speed that a machine can have and a tenth of the size.

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

/// The first 64 bits of the fractions of the cube roots of the first eighty primes (4.2.3).
#[rustfmt::skip]
const ROUNDS: [u64; 80] = [
    0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538, 0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe, 0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235, 0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab, 0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725, 0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed, 0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218, 0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53, 0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373, 0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c, 0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6, 0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc, 0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
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
        while !rest.is_empty() {
            rest = self.fill(rest);
        }
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

    pub(crate) fn finish(&mut self) -> [u8; 64] {
        let bits = u128::from(self.length).wrapping_mul(8).to_be_bytes();
        self.fill(&[0x80]);
        while self.filled != LENGTH_AT {
            self.fill(&[0]);
        }
        self.fill(&bits);
        let mut hash = [0; 64];
        let (slots, _) = hash.as_chunks_mut();
        for (slot, word) in slots.iter_mut().zip(&self.state) {
            *slot = word.to_be_bytes();
        }
        hash
    }
}

/// One block (6.4.2).
#[inline(never)]
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a remainder of sixteen is below it"
)]
fn compress(state: &mut [u64; 8], block: &[u8; BLOCK]) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (round, constant) in ROUNDS.iter().enumerate() {
        let word = words[round % 16];
        let next = words[(round + 1) % 16];
        let last = words[(round + 14) % 16];
        // The word of the round that is sixteen later.
        words[round % 16] = word
            .wrapping_add(next.rotate_right(1) ^ next.rotate_right(8) ^ next >> 7)
            .wrapping_add(words[(round + 9) % 16])
            .wrapping_add(last.rotate_right(19) ^ last.rotate_right(61) ^ last >> 6);
        let first = h
            .wrapping_add(e.rotate_right(14) ^ e.rotate_right(18) ^ e.rotate_right(41))
            .wrapping_add(g ^ (e & (f ^ g)))
            .wrapping_add(*constant)
            .wrapping_add(word);
        let second = (a.rotate_right(28) ^ a.rotate_right(34) ^ a.rotate_right(39))
            .wrapping_add(a & b | c & (a | b));
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    for (sum, word) in state.iter_mut().zip(&[a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(*word);
    }
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
