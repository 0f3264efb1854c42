//! `Check`: whether a signature is this key's, of this message (RFC 8032, 5.1.7).

use crate::curve;
use crate::scalar::Scalar;
use crate::sha512::Sha512;
use crate::{PublicKey, Signature};

/// A check of a message that comes in pieces.
pub struct Check<'a> {
    key: &'a PublicKey,
    signature: &'a Signature,
    hash: Sha512,
}

impl<'a> Check<'a> {
    /// Of this signature by this key.
    pub fn new(key: &'a PublicKey, signature: &'a Signature) -> Self {
        let mut hash = Sha512::new();
        let (nonce, _) = halves(signature);
        hash.absorb(nonce);
        hash.absorb(&key.point);
        Self {
            key,
            signature,
            hash,
        }
    }

    /// The next piece of the message.
    pub fn absorb(&mut self, bytes: &[u8]) {
        self.hash.absorb(bytes);
    }

    /// That was all of it: is it what was signed?
    pub fn holds(mut self) -> bool {
        let (nonce, proof) = halves(self.signature);
        // The highest bit is the sign: this is the negative of the key.
        let mut negative = self.key.point;
        negative[31] ^= 0x80;
        let (Some(proof), Some(key), Some(base)) = (
            Scalar::of(proof),
            curve::read(&negative),
            curve::read(&curve::BASE),
        ) else {
            return false;
        };
        let factor = Scalar::remainder(&self.hash.finish());
        curve::sum(&key, &factor, &base, &proof) == *nonce
    }
}

/// The point that was chosen to sign, and the number that proves that the signer knew how.
fn halves(signature: &Signature) -> (&[u8; 32], &[u8; 32]) {
    let (halves, _) = signature.as_chunks();
    match halves {
        [nonce, proof] => (nonce, proof),
        // 64 bytes have two halves. Nothing is signed with zeros.
        _ => (&[0; 32], &[0; 32]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::Scalar as TheirScalar;
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        core::array::from_fn(byte)
    }

    fn holds(key: [u8; 32], signature: [u8; 64], message: &[u8]) -> bool {
        let key = PublicKey {
            id: [0; 8],
            point: key,
        };
        let mut check = Check::new(&key, &signature);
        check.absorb(message);
        check.holds()
    }

    /// The third example of RFC 8032, 7.1.
    const KEY: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
    const SIGNATURE: &str = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
    const MESSAGE: [u8; 2] = [0xaf, 0x82];

    #[test]
    fn the_examples_of_the_rfc_hold() {
        // The first: no message at all.
        let key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let signature = bytes(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        );
        assert!(holds(key, signature, b""));
        assert!(holds(bytes(KEY), bytes(SIGNATURE), &MESSAGE));
    }

    #[test]
    fn no_change_of_one_bit_holds() {
        for bit in 0..8 * 64 {
            let mut signature: [u8; 64] = bytes(SIGNATURE);
            signature[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !holds(bytes(KEY), signature, &MESSAGE),
                "bit {bit} of the signature"
            );
        }
        for bit in 0..8 * 32 {
            let mut key: [u8; 32] = bytes(KEY);
            key[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !holds(key, bytes(SIGNATURE), &MESSAGE),
                "bit {bit} of the key"
            );
        }
        for message in [&[][..], &[0xaf], &[0xaf, 0x83], &[0xaf, 0x82, 0]] {
            assert!(
                !holds(bytes(KEY), bytes(SIGNATURE), message),
                "{message:x?}"
            );
        }
    }

    fn joined(nonce: &[u8; 32], number: &TheirScalar) -> [u8; 64] {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(nonce);
        signature[32..].copy_from_slice(number.as_bytes());
        signature
    }

    /// Who has the secret half can sign with the point 0, which can be written in four ways: one holds.
    #[test]
    fn another_way_to_write_the_point_of_a_signature_is_refused() {
        let secret = TheirScalar::from(12_345u32);
        let key = (ED25519_BASEPOINT_POINT * secret).compress();
        let sign = |nonce: [u8; 32]| {
            let mut hash = Sha512::new();
            hash.absorb(&nonce);
            hash.absorb(key.as_bytes());
            hash.absorb(&MESSAGE);
            let number = TheirScalar::from_bytes_mod_order_wide(&hash.finish()) * secret;
            holds(*key.as_bytes(), joined(&nonce, &number), &MESSAGE)
        };
        let zero = |low: u8, middle: u8, high: u8| {
            let mut nonce = [middle; 32];
            (nonce[0], nonce[31]) = (low, high);
            nonce
        };
        assert!(sign(zero(1, 0, 0)));
        for other in [
            zero(1, 0, 0x80),
            zero(0xee, 0xff, 0x7f),
            zero(0xee, 0xff, 0xff),
        ] {
            assert!(!sign(other), "{other:x?}");
        }
    }

    /// The same signature, written with the order added to its number (RFC 8032, 8.4).
    #[test]
    fn another_way_to_write_a_signature_is_refused() {
        let mut signature: [u8; 64] = bytes(SIGNATURE);
        let mut carry = 1;
        let order_less_one = (-curve25519_dalek::Scalar::ONE).to_bytes();
        for (byte, order) in signature[32..].iter_mut().zip(&order_less_one) {
            let sum = u16::from(*byte) + u16::from(*order) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert!(!holds(bytes(KEY), signature, &MESSAGE));
    }
}
