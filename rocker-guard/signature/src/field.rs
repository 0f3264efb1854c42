//! `Field`: numbers modulo 2^255 - 19, which the coordinates of the curve's points are.
//!
//! Words of the machine in loops: a check is over in half a millisecond even so, and the package's hash, which comes with it,
//! takes far longer. Nothing here is secret, so nothing need take the same time for every number.

use crate::words::{WORDS, Word, Words, add_product, from_bytes, to_bytes, words};

/// Every number below 2^256 may stand here; what differs by a multiple of the modulus is the same.
#[derive(Clone, Copy)]
pub(crate) struct Field(Words);

impl Field {
    pub(crate) const ZERO: Self = Self::constant([0; 4]);
    pub(crate) const ONE: Self = Self::constant([1, 0, 0, 0]);

    pub(crate) const fn constant(quarters: [u64; 4]) -> Self {
        Self(words(quarters))
    }

    pub(crate) fn of(bytes: &[u8; 32]) -> Self {
        Self(from_bytes(bytes))
    }

    /// The one way to write it that is below the modulus.
    #[inline(never)]
    pub(crate) fn bytes(&self) -> [u8; 32] {
        let mut number = self.0;
        loop {
            // What is not below 2^255 with 19 added is not below the modulus, and without its 2^255 that much less.
            let mut less = number;
            let carry = add_product(&mut less, &Self::ONE.0, 19);
            let [.., highest] = &mut less;
            if carry == 0 && *highest >> (Word::BITS - 1) == 0 {
                return to_bytes(&number);
            }
            *highest ^= 1 << (Word::BITS - 1);
            number = less;
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.bytes() == [0; 32]
    }

    pub(crate) fn is_odd(&self) -> bool {
        let [lowest, ..] = self.bytes();
        lowest & 1 == 1
    }

    /// Adds `factor * number`. 2^256 is 38 here.
    fn add_product(&mut self, number: &Words, factor: Word) {
        let mut carry = add_product(&mut self.0, number, factor);
        while carry != 0 {
            let mut beyond = Self::ZERO.0;
            beyond[0] = carry;
            carry = add_product(&mut self.0, &beyond, 38);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.add_product(&other.0, 1);
    }

    /// 2^256 - 1 less this. Of that the same is this again, less whatever was added in between.
    fn complement(&mut self) {
        self.0.iter_mut().for_each(|word| *word = !*word);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.complement();
        self.add(other);
        self.complement();
    }

    #[inline(never)]
    pub(crate) fn multiply(&mut self, other: &Self) {
        let mut product = [0; 2 * WORDS];
        for (at, word) in other.0.iter().enumerate() {
            if let Some((place, [above, ..])) = product
                .get_mut(at..)
                .and_then(|rest| rest.split_first_chunk_mut())
            {
                *above = add_product(place, &self.0, *word);
            }
        }
        let (halves, _) = product.as_chunks();
        if let [low, high] = halves {
            self.0 = *low;
            self.add_product(high, 38);
        }
    }

    /// To the power that is written as `ones` bits, all of them set but those of the eight lowest that `low` has not.
    #[inline(never)]
    pub(crate) fn power(&mut self, ones: u32, low: u8) {
        let mut power = Self::ONE;
        for bit in (0..ones).rev() {
            let root = power;
            power.multiply(&root);
            if low.checked_shr(bit).is_none_or(|low| low & 1 == 1) {
                power.multiply(self);
            }
        }
        *self = power;
    }
}
