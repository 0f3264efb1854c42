//! `Program`: instructions for `seccomp(2)`, one after another.

use super::answer::Answer;
use rocker_proto::limits::{FILTER_MAX, READY_MAX};
use rocker_sys::memory::Pages;
use rocker_sys::raw::ptrace::{
    BPF_ABS, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W,
};
use rocker_sys::{Errno, Result, seccomp};

/// `struct seccomp_data`: the number, the architecture, the instruction pointer, six arguments of 64 bits.
pub(crate) const NUMBER: u32 = 0;
pub(crate) const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// Where a half of an argument stands; the lower one comes first, as everywhere that this filters.
pub(crate) const fn low(argument: u32) -> u32 {
    ARGUMENTS.wrapping_add(argument.wrapping_mul(8))
}

/// The upper one.
pub(crate) const fn high(argument: u32) -> u32 {
    low(argument).wrapping_add(4)
}

const LOAD: u32 = BPF_LD | BPF_W | BPF_ABS;
const RETURN: u32 = BPF_RET | BPF_K;
const JUMP: u32 = BPF_JMP | BPF_JA;

/// A comparison with a constant.
pub(crate) const EQUAL: u32 = BPF_JMP | BPF_JEQ | BPF_K;
pub(crate) const GREATER: u32 = BPF_JMP | BPF_JGT | BPF_K;
pub(crate) const AT_LEAST: u32 = BPF_JMP | BPF_JGE | BPF_K;
pub(crate) const HAS_BITS: u32 = BPF_JMP | BPF_JSET | BPF_K;

const SIZE: usize = seccomp::INSTRUCTION_SIZE;

/// The instructions so far, in pages that go when the client has them, with room for a reply behind. None at all is no
/// filter.
pub(crate) struct Program {
    pages: Pages,
    /// How many.
    len: usize,
}

impl Program {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            pages: Pages::new(READY_MAX)?,
            len: 0,
        })
    }

    /// Where the next one goes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The instructions alone.
    pub(crate) fn bytes(&self) -> &[u8] {
        let bytes = self.pages.as_slice();
        bytes.get(..self.len.wrapping_mul(SIZE)).unwrap_or_default()
    }

    /// The instructions, and this reply behind them, for which there is room.
    pub(crate) fn before<const N: usize>(&mut self, reply: &[u8; N]) -> &[u8] {
        let end = self.len.wrapping_mul(SIZE);
        let behind = self.pages.as_mut_slice().get_mut(end..);
        if let Some(room) = behind.and_then(<[u8]>::first_chunk_mut) {
            *room = *reply;
        }
        let bytes = self.pages.as_slice();
        bytes.get(..end.wrapping_add(N)).unwrap_or_default()
    }

    pub(crate) fn load(&mut self, offset: u32) -> Result<()> {
        self.push(LOAD, 0, 0, offset)
    }

    pub(crate) fn answer(&mut self, answer: Answer) -> Result<()> {
        self.push(RETURN, 0, 0, answer.0)
    }

    /// On to what is `distance` behind the next one.
    pub(crate) fn jump(&mut self, distance: u32) -> Result<()> {
        self.push(JUMP, 0, 0, distance)
    }

    /// Compares what was loaded, and goes on so far behind the next one, if it holds and if not.
    pub(crate) fn compare(&mut self, how: u32, value: u32, holds: u8, fails: u8) -> Result<()> {
        self.push(how, holds, fails, value)
    }

    fn push(&mut self, code: u32, holds: u8, fails: u8, operand: u32) -> Result<()> {
        let [c0, c1, ..] = code.to_ne_bytes();
        let [k0, k1, k2, k3] = operand.to_ne_bytes();
        let at = self.len;
        self.len = at.wrapping_add(1);
        let slot = self.slot(at).ok_or(Errno::E2BIG)?;
        *slot = [c0, c1, holds, fails, k0, k1, k2, k3];
        Ok(())
    }

    fn slot(&mut self, at: usize) -> Option<&mut [u8; SIZE]> {
        let bytes = self.pages.as_mut_slice();
        let room = bytes.get_mut(at.wrapping_mul(SIZE)..FILTER_MAX)?;
        room.first_chunk_mut()
    }

    /// Lets the jump at this place, a comparison that holds or an unconditional one, lead to what comes next.
    pub(crate) fn land(&mut self, at: usize) {
        let distance = self.distance(at);
        match self.slot(at) {
            Some([code, _, _, _, operand @ ..]) if u32::from(*code) == JUMP => {
                *operand = distance.to_ne_bytes();
            }
            // Whoever leaves a comparison open knows that it fits.
            Some([_, _, holds, ..]) => *holds = distance as u8,
            None => {}
        }
    }

    /// How far it is from this place to what comes next.
    fn distance(&self, at: usize) -> u32 {
        self.len.wrapping_sub(at).wrapping_sub(1) as u32
    }

    /// From `start` on, lets every comparison that leads [`ELSEWHERE`] lead to what comes next.
    pub(crate) fn land_all(&mut self, start: usize) -> Result<()> {
        for at in start..self.len {
            let distance = self.distance(at);
            // Instructions that do not jump have 0 there.
            let Some([_, _, jumps @ .., _, _, _, _]) = self.slot(at) else {
                continue;
            };
            for jump in jumps.iter_mut().filter(|jump| **jump == ELSEWHERE) {
                if distance >= ELSEWHERE.into() {
                    return Err(Errno::E2BIG);
                }
                *jump = distance as u8;
            }
        }
        Ok(())
    }

    /// Adds another program, to whose instructions the jumps of this one may lead that were made with
    /// [`Program::jump_into`].
    pub(crate) fn append(&mut self, other: &Self) -> Result<()> {
        let end = self.len as u32;
        for at in 0..self.len {
            let distance = self.distance(at);
            if let Some([code, _, _, _, operand @ ..]) = self.slot(at)
                && u32::from(*code) == JUMP
                && u32::from_ne_bytes(*operand) & INTO != 0
            {
                let place = u32::from_ne_bytes(*operand) & !INTO;
                *operand = distance.wrapping_add(place).to_ne_bytes();
            }
        }
        self.len = self.len.wrapping_add(other.len);
        let room = self
            .pages
            .as_mut_slice()
            .get_mut((end as usize).wrapping_mul(SIZE)..FILTER_MAX);
        let room = room.and_then(|room| room.get_mut(..other.len.wrapping_mul(SIZE)));
        let room = room.ok_or(Errno::E2BIG)?;
        for (to, from) in room.iter_mut().zip(other.bytes()) {
            *to = *from;
        }
        Ok(())
    }

    /// Lets it report where it refuses.
    pub(crate) fn report(&mut self) {
        for at in 0..self.len {
            if let Some([code, _, _, _, operand @ ..]) = self.slot(at)
                && u32::from(*code) == RETURN
            {
                let answer = Answer(u32::from_ne_bytes(*operand));
                *operand = answer.reported().0.to_ne_bytes();
            }
        }
    }

    /// On to this place of a program that is appended later.
    pub(crate) fn jump_into(&mut self, place: u32) -> Result<()> {
        self.jump(INTO | place)
    }
}

/// Marks the operand of a jump whose end is appended later.
const INTO: u32 = 1 << 31;

/// Where a comparison leads whose end is not known yet: no real one is as far.
pub(crate) const ELSEWHERE: u8 = u8::MAX;
