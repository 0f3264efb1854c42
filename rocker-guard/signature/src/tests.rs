//! The check and what it is made of, held against the libraries that everybody uses.

use crate::field::Field;
use crate::registers::{Operation, Registers, step};
use crate::scalar::Scalar;
use crate::sha512::Sha512;
use crate::{Check, PublicKey, curve};
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar as TheirScalar};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::Digest;

/// Numbers that are the same in each run (Steele, Lea, Flood: SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Each byte is any, or all of its bits are the same: carries go far.
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| match self.next() % 4 {
            0 => 0,
            1 => 0xff,
            _ => self.next() as u8,
        })
    }
}

/// 2^255 - 19 and what is added to it, as bytes.
fn modulus_and(number: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed + number;
    bytes[31] = 0x7f;
    bytes
}

fn holds(key: [u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
    let key = PublicKey {
        id: [0; 8],
        point: key,
    };
    let mut check = Check::new(&key, signature);
    check.absorb(message);
    check.holds()
}

fn theirs_holds(key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    let key = VerifyingKey::from_bytes(key);
    key.is_ok_and(|key| ed25519_dalek::Verifier::verify(&key, message, &signature).is_ok())
}

#[test]
fn hashes_are_those_of_the_library() {
    let mut random = Random(1);
    for len in 0..600 {
        let message: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        let mut hash = Sha512::new();
        let (first, second) = message.split_at(random.next() as usize % (len + 1));
        hash.absorb(first);
        hash.absorb(second);
        assert_eq!(
            hash.finish()[..],
            sha2::Sha512::digest(&message)[..],
            "{len} bytes"
        );
    }
}

#[test]
fn numbers_are_written_in_one_way() {
    for number in 0..=18 {
        let mut small = [0; 32];
        small[0] = number;
        assert_eq!(Field::of(&modulus_and(number)).bytes(), small, "{number}");
        assert_eq!(Field::of(&small).bytes(), small, "{number}");
    }
    // 2^256 - 1, and what is just below 2^255 - 19 and twice that.
    let mut small = [0; 32];
    small[0] = 37;
    assert_eq!(Field::of(&[0xff; 32]).bytes(), small);
    let mut below = modulus_and(0);
    below[0] -= 1;
    assert_eq!(Field::of(&below).bytes(), below);
    let mut twice = [0xff; 32];
    twice[0] = 0xda;
    assert_eq!(Field::of(&twice).bytes(), [0; 32]);
    twice[0] = 0xd9;
    assert_eq!(Field::of(&twice).bytes(), below);
}

/// Sums, differences, products and inverses, by laws that tie them together.
#[test]
fn numbers_obey_the_laws_of_a_field() {
    let mut random = Random(2);
    let add = step(0, Operation::Add, 1);
    let subtract = step(0, Operation::Subtract, 1);
    let multiply = step(0, Operation::Multiply, 1);
    for round in 0..2000 {
        let numbers: [Field; 3] = core::array::from_fn(|_| Field::of(&random.bytes()));
        let [a, b, c] = numbers;
        let run = |first, second, steps: &[_]| {
            let mut registers = Registers([[first, second, first, second]; 4]);
            registers.run(steps);
            *registers.get(0)
        };
        let (sum, product) = (run(a, b, &[add]), run(a, b, &[multiply]));
        assert_eq!(sum.bytes(), run(b, a, &[add]).bytes(), "{round}");
        assert_eq!(product.bytes(), run(b, a, &[multiply]).bytes(), "{round}");
        assert_eq!(run(sum, b, &[subtract]).bytes(), a.bytes(), "{round}");
        assert_eq!(
            run(sum, c, &[multiply]).bytes(),
            run(run(a, c, &[multiply]), run(b, c, &[multiply]), &[add]).bytes(),
            "{round}"
        );
        if round < 50 && !a.is_zero() {
            let invert = step(1, Operation::Invert, 1);
            let one = run(a, a, &[invert, multiply]);
            assert_eq!(one.bytes(), Field::ONE.bytes(), "{round}");
        }
    }
}

#[test]
fn scalars_are_those_of_the_library() {
    let mut random = Random(3);
    for round in 0..200 {
        let bytes: [u8; 64] = random.bytes();
        let ours = Scalar::remainder(&bytes);
        let theirs = TheirScalar::from_bytes_mod_order_wide(&bytes).to_bytes();
        for bit in 0..256 {
            let theirs = theirs[bit / 8] >> (bit % 8) & 1 == 1;
            assert_eq!(ours.bit(bit as u32), theirs, "round {round}, bit {bit}");
        }
        let bytes: [u8; 32] = random.bytes();
        let is_below = bool::from(TheirScalar::from_canonical_bytes(bytes).is_some());
        assert_eq!(Scalar::of(&bytes).is_some(), is_below, "{bytes:x?}");
    }
    let mut order = (-TheirScalar::ONE).to_bytes();
    assert!(Scalar::of(&order).is_some());
    order[0] += 1;
    assert!(Scalar::of(&order).is_none());
}

/// Half of all bytes are points, of which some have no order of the group's.
#[test]
fn points_and_their_sums_are_those_of_the_library() {
    let mut random = Random(4);
    let mut points = 0;
    let mut known = EIGHT_TORSION
        .map(|point| point.compress().to_bytes())
        .to_vec();
    known.extend((0..40).map(|_| random.bytes::<32>()));
    for bytes in known {
        let theirs = CompressedEdwardsY(bytes).decompress();
        let ours = curve::read(&bytes);
        let is_canonical = theirs.is_some_and(|point| point.compress().0 == bytes);
        assert_eq!(ours.is_some(), is_canonical, "{bytes:x?}");
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            continue;
        };
        points += 1;
        let base = curve::read(&curve::BASE).unwrap();
        let (factor, proof): ([u8; 64], [u8; 64]) = (random.bytes(), random.bytes());
        let sum = curve::sum(
            &ours,
            &Scalar::remainder(&factor),
            &base,
            &Scalar::remainder(&proof),
        );
        let [factor, proof] =
            [factor, proof].map(|bytes| TheirScalar::from_bytes_mod_order_wide(&bytes));
        let expected = theirs * factor + EdwardsPoint::mul_base(&proof);
        assert_eq!(sum, expected.compress().0, "{bytes:x?}");
    }
    assert!(points > 20, "{points} points");
}

/// What is not below 2^255 - 19, and the two points of which x is zero, with the sign of one that is odd.
#[test]
fn points_that_are_written_otherwise_are_refused() {
    for number in 0..=18 {
        let bytes = modulus_and(number);
        assert!(curve::read(&bytes).is_none(), "{number}");
    }
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = modulus_and(0);
    minus_one[0] -= 1;
    for mut bytes in [one, minus_one] {
        assert!(curve::read(&bytes).is_some());
        bytes[31] |= 0x80;
        assert!(curve::read(&bytes).is_none());
    }
}

#[test]
fn signatures_are_judged_as_the_library_does() {
    let mut random = Random(5);
    for round in 0..60 {
        let key = SigningKey::from_bytes(&random.bytes());
        let message: Vec<u8> = (0..round * 5).map(|_| random.next() as u8).collect();
        let signature = key.sign(&message).to_bytes();
        let key = key.verifying_key().to_bytes();
        assert!(holds(key, &signature, &message), "round {round}");
        let mut changed = signature;
        let bit = random.next() as usize % 512;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            holds(key, &changed, &message),
            theirs_holds(&key, &changed, &message),
            "round {round}, bit {bit}"
        );
        assert!(!holds(key, &changed, &message), "round {round}, bit {bit}");
    }
}

/// A key of small order: some messages hold with a signature of anybody's. Both say of which; but the two of which x is zero
/// are no keys here, since it has no negative that is written otherwise.
#[test]
fn keys_and_nonces_of_small_order_are_judged_as_the_library_does() {
    let small = EIGHT_TORSION.map(|point| point.compress().to_bytes());
    let mut held = 0;
    for key in &small {
        for nonce in &small {
            for message in 0..8u8 {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(nonce);
                let ours = holds(*key, &signature, &[message]);
                let is_key = curve::read(key).is_some_and(|[x, ..]| !x.is_zero());
                assert_eq!(
                    ours,
                    is_key && theirs_holds(key, &signature, &[message]),
                    "{key:x?} {nonce:x?} {message}"
                );
                held += usize::from(ours);
            }
        }
    }
    assert!((1..512).contains(&held), "{held}");
}
