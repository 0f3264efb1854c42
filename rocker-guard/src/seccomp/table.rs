//! `Table`: the system calls of one architecture, with their names and what Rocker's own filters do with them.
//!
//! The files below are made from `calls.txt` and the kernel's numbers by the test of the same name; they are not to be changed
//! by hand.

#[cfg(any(test, target_arch = "aarch64"))]
pub(crate) mod aarch64;
#[cfg(any(test, target_arch = "arm"))]
pub(crate) mod arm;
#[cfg(any(test, target_arch = "riscv64"))]
pub(crate) mod riscv64;
#[cfg(any(test, target_arch = "x86_64"))]
pub(crate) mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::TABLE;
#[cfg(target_arch = "arm")]
pub(crate) use arm::TABLE;
#[cfg(target_arch = "riscv64")]
pub(crate) use riscv64::TABLE;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::TABLE;

/// For a machine without a table, of which no filter can be made.
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "riscv64",
    target_arch = "x86_64"
)))]
pub(crate) const TABLE: Table = Table {
    architecture: 0,
    runs: &[],
    private: (0, 0),
    pairs: &[],
    names: &[],
};

/// More than any architecture has.
pub(crate) const CALLS_MAX: usize = 512;

/// What there is to know of an architecture's calls.
pub(crate) struct Table {
    /// `AUDIT_ARCH_*`
    pub(crate) architecture: u32,
    /// From number 0 on: how many calls in a row have the same rules, and which: that of `default` in the lower half of the
    /// byte, that of `strict` in the upper.
    pub(crate) runs: &'static [(u8, u8)],
    /// Calls of the architecture's own, far above the others, which every program needs; from and to.
    pub(crate) private: (u32, u32),
    /// Names are compressed: a byte above 127 stands for two others, of which each may stand for two again.
    pub(crate) pairs: &'static [[u8; 2]],
    /// The names from number 0 on, a newline behind each; one that is empty belongs to nobody.
    pub(crate) names: &'static [u8],
}
