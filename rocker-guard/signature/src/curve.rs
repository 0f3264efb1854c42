//! `Curve`: sums of points of the curve -x² + y² = 1 + dx²y² (RFC 8032, 5.1).

use crate::field::Field;
use crate::registers::Operation::{Add, Copy, Invert, Multiply, Root, Subtract};
use crate::registers::{Registers, Step, step};
use crate::scalar::Scalar;

/// `x / z` and `y / z`, and with them `t`, which is `xy / z`, so that a sum takes no division.
pub(crate) type Point = [Field; 4];

/// The point that any other stays with which it is added.
const NONE: Point = [Field::ZERO, Field::ONE, Field::ONE, Field::ZERO];

/// The point of which all signatures are multiples, as it is written: y is 4/5, and x is even.
pub(crate) const BASE: [u8; 32] = {
    let mut base = [0x66; 32];
    base[0] = 0x58;
    base
};

// The registers: a point, one that is added to it, whatever comes up, and constants.
const X: u8 = 0;
const Y: u8 = 1;
const Z: u8 = 2;
const T: u8 = 3;
const OTHER_X: u8 = 4;
const OTHER_Y: u8 = 5;
const OTHER_Z: u8 = 6;
const OTHER_T: u8 = 7;
const A: u8 = 8;
const B: u8 = 9;
const C: u8 = 10;
const E: u8 = 11;
const TWICE_D: u8 = 12;
const ROOT_OF_MINUS_ONE: u8 = 13;
const ONE: u8 = 14;
const F: u8 = 15;

#[rustfmt::skip]
const CONSTANTS: [Field; 4] = [
    // d is -121665 / 121666.
    Field::constant([0xebd6_9b94_26b2_f159, 0x00e0_149a_8283_b156, 0x198e_80f2_eef3_d130, 0x2406_d9dc_56df_fce7]),
    Field::constant([0xc4ee_1b27_4a0e_a0b0, 0x2f43_1806_ad2f_e478, 0x2b4d_0099_3dfb_d7a7, 0x2b83_2480_4fc1_df0b]),
    Field::ONE,
    Field::ZERO,
];

/// The sum of any two points (Hisil, Wong, Carter, Dawson: Twisted Edwards curves revisited, 3.1).
#[rustfmt::skip]
const SUM: [Step; 26] = [
    // a = (y - x) * (other y - other x)
    step(A, Copy, Y), step(A, Subtract, X), step(C, Copy, OTHER_Y), step(C, Subtract, OTHER_X), step(A, Multiply, C),
    // b = (y + x) * (other y + other x)
    step(B, Copy, Y), step(B, Add, X), step(OTHER_Y, Add, OTHER_X), step(B, Multiply, OTHER_Y),
    // t = t * other t * 2d; z = 2z * other z
    step(T, Multiply, OTHER_T), step(T, Multiply, TWICE_D), step(Z, Multiply, OTHER_Z), step(Z, Add, Z),
    // e = b - a; b = b + a; f = z - t; z = z + t
    step(E, Copy, B), step(E, Subtract, A), step(B, Add, A), step(F, Copy, Z), step(F, Subtract, T), step(Z, Add, T),
    // x = e * f; y = b * z; t = e * b; z = f * z
    step(X, Copy, E), step(X, Multiply, F), step(Y, Copy, B), step(Y, Multiply, Z), step(T, Copy, E), step(T, Multiply, B),
    step(Z, Multiply, F),
];

/// x, of y: a square root of `u / v`, if there is one (RFC 8032, 5.1.3), and in `b` what tells.
#[rustfmt::skip]
const X_OF_Y: [Step; 22] = [
    // u = 2 (y² - 1), in z; v = 2 (dy² + 1), in t
    step(Z, Copy, Y), step(Z, Multiply, Y), step(T, Copy, Z), step(Z, Subtract, ONE), step(Z, Add, Z),
    step(T, Multiply, TWICE_D), step(T, Add, ONE), step(T, Add, ONE),
    // x = (uv⁷)^((2^255 - 24) / 8) * uv³
    step(A, Copy, T), step(A, Multiply, T), step(A, Multiply, T), step(X, Copy, A), step(X, Multiply, A),
    step(X, Multiply, T), step(X, Multiply, Z), step(X, Root, X), step(X, Multiply, Z), step(X, Multiply, A),
    // b = vx² - u
    step(B, Copy, X), step(B, Multiply, X), step(B, Multiply, T), step(B, Subtract, Z),
];

/// Of -u it would be a root: b = vx² + u, and x times a root of -1.
const OTHER_ROOT: [Step; 3] = [
    step(B, Add, Z),
    step(B, Add, Z),
    step(X, Multiply, ROOT_OF_MINUS_ONE),
];

const NEGATIVE: [Step; 3] = [step(A, Copy, X), step(X, Subtract, A), step(X, Subtract, A)];

const Z_AND_T: [Step; 3] = [step(Z, Copy, ONE), step(T, Copy, X), step(T, Multiply, Y)];

/// In a and b what x and y come to.
const QUOTIENTS: [Step; 5] = [
    step(Z, Invert, Z),
    step(A, Copy, X),
    step(A, Multiply, Z),
    step(B, Copy, Y),
    step(B, Multiply, Z),
];

/// From how a point is written: y, and in the highest bit whether x is odd. `None`: it is none, or not written so.
#[inline(never)]
pub(crate) fn read(bytes: &[u8; 32]) -> Option<Point> {
    let [.., highest] = bytes;
    let is_odd = highest >> 7 == 1;
    let mut y = *bytes;
    y[31] &= 0x7f;
    let mut registers = start(&[Field::ZERO, Field::of(&y), Field::ZERO, Field::ZERO]);
    registers.run(&X_OF_Y);
    if !registers.get(B).is_zero() {
        registers.run(&OTHER_ROOT);
        if !registers.get(B).is_zero() {
            return None;
        }
    }
    if registers.get(X).is_odd() != is_odd {
        registers.run(&NEGATIVE);
    }
    registers.run(&Z_AND_T);
    let [point, ..] = registers.0;
    (write(&mut registers) == *bytes).then_some(point)
}

/// Is it one of the eight points that vanish when they are doubled three times? What comes of any point has an odd order, and
/// of those x is zero for the point that vanishes alone.
#[inline(never)]
pub(crate) fn has_small_order(point: &Point) -> bool {
    let mut registers = start(point);
    for _ in 0..3 {
        let [half, ..] = registers.0;
        add(&mut registers, &half);
    }
    registers.get(X).is_zero()
}

// Once, and not copied into its callers.
#[inline(never)]
fn start(point: &Point) -> Registers {
    Registers([*point, NONE, NONE, CONSTANTS])
}

/// As the point is written.
#[inline(never)]
fn write(registers: &mut Registers) -> [u8; 32] {
    registers.run(&QUOTIENTS);
    let mut bytes = registers.get(B).bytes();
    if registers.get(A).is_odd() {
        bytes[31] |= 0x80;
    }
    bytes
}

/// `factor * point + proof * base`, bit by bit from the highest, as it is written.
pub(crate) fn sum(point: &Point, factor: &Scalar, base: &Point, proof: &Scalar) -> [u8; 32] {
    let mut registers = start(&NONE);
    for bit in (0..Scalar::BITS).rev() {
        let [half, ..] = registers.0;
        add(&mut registers, &half);
        if factor.bit(bit) {
            add(&mut registers, point);
        }
        if proof.bit(bit) {
            add(&mut registers, base);
        }
    }
    write(&mut registers)
}

fn add(registers: &mut Registers, point: &Point) {
    let [_, other, ..] = &mut registers.0;
    *other = *point;
    registers.run(&SUM);
}
