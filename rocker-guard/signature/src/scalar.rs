//! `Scalar`: numbers modulo the order of the group that the base point makes, by which points are multiplied.

use crate::words::{Word, Words, add_product, from_bytes, words};

/// 2^256 less the order (RFC 8032, 5.1), so that what is added to it goes beyond 2^256 if it is not below the order.
#[rustfmt::skip]
const COMPLEMENT: Words =
    words([0xa7ed_9ce5_a30a_2c13, 0xeb21_0621_5d08_6329, 0xffff_ffff_ffff_ffff, 0xefff_ffff_ffff_ffff]);

/// A number below the order.
pub(crate) struct Scalar(Words);

impl Scalar {
    /// As many as the order has.
    pub(crate) const BITS: u32 = 253;

    /// `None`: another way to write a number that is below the order.
    pub(crate) fn of(bytes: &[u8; 32]) -> Option<Self> {
        let mut scalar = Self(from_bytes(bytes));
        (!scalar.subtract_order()).then_some(scalar)
    }

    /// What is left of a number, bit by bit from the highest.
    pub(crate) fn remainder(bytes: &[u8; 64]) -> Self {
        let mut rest = Self(Words::default());
        for byte in bytes.iter().rev() {
            for bit in (0..8u32).rev() {
                let half = rest.0;
                add_product(&mut rest.0, &half, 1);
                rest.0[0] |= Word::from(byte.wrapping_shr(bit) & 1);
                rest.subtract_order();
            }
        }
        rest
    }

    /// If it is not below the order.
    fn subtract_order(&mut self) -> bool {
        let mut less = self.0;
        let is_beyond = add_product(&mut less, &COMPLEMENT, 1) != 0;
        if is_beyond {
            self.0 = less;
        }
        is_beyond
    }

    /// The bit of this number, of which the lowest has 0.
    pub(crate) fn bit(&self, number: u32) -> bool {
        let word = self.0.get((number / Word::BITS) as usize);
        word.is_some_and(|word| word >> (number % Word::BITS) & 1 == 1)
    }
}
