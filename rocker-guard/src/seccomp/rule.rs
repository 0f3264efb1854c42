//! `Rule`: what the filters of Rocker's own do with a call.

use super::answer::Answer;
use super::program::{EQUAL, HAS_BITS, Program, low};
use rocker_sys::Result;
use rocker_sys::raw::ioctl::{TIOCLINUX, TIOCSETD, TIOCSTI};
use rocker_sys::raw::net::{
    AF_BLUETOOTH, AF_CAN, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX,
};

/// A rule by its number in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule(pub(crate) u8);

impl Rule {
    pub(crate) const ALLOW: Self = Self(0);
    pub(crate) const DENY: Self = Self(1);
    /// Any other that does not look is this one.
    #[cfg(test)]
    pub(crate) const ABSENT: Self = Self(2);
    /// The first that looks at arguments.
    const FLAGS: Self = Self(3);
    /// How many look at arguments.
    pub(crate) const CHECKS: u8 = 5;

    /// The rule of this check.
    #[cfg(test)]
    pub(crate) const fn check(number: u8) -> Self {
        Self(Self::FLAGS.0.wrapping_add(number))
    }

    /// The number of its check, if it has one.
    pub(crate) fn number_of_check(self) -> Option<u8> {
        self.0.checked_sub(Self::FLAGS.0)
    }

    /// What it says without looking.
    pub(crate) const fn answer(self) -> Answer {
        match self {
            Self::ALLOW => Answer::ALLOW,
            Self::DENY => Answer::EPERM,
            _ => Answer::ENOSYS,
        }
    }
}

/// Compares the lower half of one argument, which is all that these calls read of it, with a few values.
struct Check {
    argument: u32,
    how: u32,
    values: &'static [u32],
    /// What is said if one of them fits.
    fits: Answer,
    other: Answer,
}

/// `CLONE_NEW*`. Where `CLONE_NEWTIME` is, clone has its signal, which is below that.
const NEW_NAMESPACES: u32 = 0x7e02_0080;

/// `PER_LINUX` and `PER_LINUX32`, and the same with `UNAME26` (`personality(2)`); -1 asks.
const HARMLESS: &[u32] = &[0, 8, 0x0002_0000, 0x0002_0008, u32::MAX];

/// In the order of the rules.
const CHECKS: [Check; Rule::CHECKS as usize] = [
    Check {
        argument: 0,
        how: HAS_BITS,
        values: &[NEW_NAMESPACES],
        fits: Answer::EPERM,
        other: Answer::ALLOW,
    },
    Check {
        argument: 1,
        how: EQUAL,
        values: &[TIOCSTI, TIOCLINUX, TIOCSETD],
        fits: Answer::EPERM,
        other: Answer::ALLOW,
    },
    Check {
        argument: 0,
        how: EQUAL,
        values: HARMLESS,
        fits: Answer::ALLOW,
        other: Answer::EPERM,
    },
    families(&[
        AF_UNIX,
        AF_INET,
        AF_INET6,
        AF_NETLINK,
        AF_PACKET,
        AF_CAN,
        AF_BLUETOOTH,
    ]),
    families(&[AF_UNIX, AF_INET, AF_INET6, AF_NETLINK]),
];

const fn families(values: &'static [u32]) -> Check {
    Check {
        argument: 0,
        how: EQUAL,
        values,
        fits: Answer::ALLOW,
        other: Answer::EAFNOSUPPORT,
    }
}

/// Adds the instructions of a check.
pub(crate) fn put_check(program: &mut Program, number: u8) -> Result<()> {
    let Some(check) = CHECKS.get(usize::from(number)) else {
        return Ok(());
    };
    program.load(low(check.argument))?;
    let mut left = check.values.len();
    for value in check.values {
        // Behind the comparisons that are left and the other answer.
        program.compare(check.how, *value, left as u8, 0)?;
        left = left.wrapping_sub(1);
    }
    program.answer(check.other)?;
    program.answer(check.fits)
}
