//! `Registers`: numbers with which a list of steps computes.
//!
//! A step is two bytes in a table here, and twenty of code if it is a call with the addresses of its operands.

use crate::field::Field;

/// Sixteen numbers: four rows of as many.
pub(crate) struct Registers(pub(crate) [[Field; 4]; 4]);

/// What a step does with the register that it changes and the one that it reads.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Copy,
    Add,
    Subtract,
    Multiply,
    /// The power of 2^255 - 21, which is the inverse; zero has zero.
    Invert,
    /// The power of 2^252 - 3, from which square roots are made (RFC 8032, 5.1.3).
    Root,
}

/// With the numbers of both registers in one byte.
#[derive(Clone, Copy)]
pub(crate) struct Step(Operation, u8);

pub(crate) const fn step(to: u8, operation: Operation, from: u8) -> Step {
    Step(operation, to << 4 | from)
}

impl Registers {
    pub(crate) fn get(&self, number: u8) -> &Field {
        let registers = self.0.as_flattened();
        registers.get(usize::from(number)).unwrap_or(&Field::ZERO)
    }

    #[inline(never)]
    #[allow(clippy::indexing_slicing, reason = "four bits are below sixteen")]
    pub(crate) fn run(&mut self, steps: &[Step]) {
        let registers = self.0.as_flattened_mut();
        for Step(operation, places) in steps {
            let from = registers[usize::from(places & 15)];
            let to = &mut registers[usize::from(places >> 4)];
            match operation {
                Operation::Copy => *to = from,
                Operation::Add => to.add(&from),
                Operation::Subtract => to.subtract(&from),
                Operation::Multiply => to.multiply(&from),
                Operation::Invert => to.power(255, 0b1110_1011),
                Operation::Root => to.power(252, 0b1111_1101),
            }
        }
    }
}
