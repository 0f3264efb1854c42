//! Numbers of 256 bits, as words of the machine from the lowest on.

#[cfg(target_pointer_width = "64")]
pub(crate) type Word = u64;
#[cfg(not(target_pointer_width = "64"))]
pub(crate) type Word = u32;

/// Holds the product of two words, and two words more.
#[cfg(target_pointer_width = "64")]
type Wide = u128;
#[cfg(not(target_pointer_width = "64"))]
type Wide = u64;

pub(crate) const WORDS: usize = 32 / size_of::<Word>();

pub(crate) type Words = [Word; WORDS];

/// A constant.
#[cfg(target_pointer_width = "64")]
pub(crate) const fn words(quarters: [u64; 4]) -> Words {
    quarters
}

#[cfg(not(target_pointer_width = "64"))]
pub(crate) const fn words([a, b, c, d]: [u64; 4]) -> Words {
    const fn high(quarter: u64) -> Word {
        (quarter >> 32) as Word
    }
    [
        a as Word,
        high(a),
        b as Word,
        high(b),
        c as Word,
        high(c),
        d as Word,
        high(d),
    ]
}

#[inline(never)]
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Words {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = Word::from_le_bytes(*bytes);
    }
    words
}

pub(crate) fn to_bytes(words: &Words) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    bytes
}

/// Adds `factor * from` to `to`; gives what goes beyond its highest word.
#[inline(never)]
pub(crate) fn add_product(to: &mut Words, from: &Words, factor: Word) -> Word {
    let mut carry = 0;
    for (to, from) in to.iter_mut().zip(from) {
        let sum = Wide::from(*from)
            .wrapping_mul(factor.into())
            .wrapping_add((*to).into())
            .wrapping_add(carry);
        *to = sum as Word;
        carry = sum >> Word::BITS;
    }
    carry as Word
}
