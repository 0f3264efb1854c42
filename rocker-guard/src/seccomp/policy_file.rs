//! The file of a policy: read as a whole, and of this machine's calls.

use super::policy;
use super::program::Program;
use super::table::TABLE;
use crate::resolve::Found;
use crate::step::{At, Step};
use core::ffi::CStr;
use rocker_proto::{Failure, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::{Errno, Result, fs};

/// The longest policy: far more than anybody writes, and every byte has a number of 16 bits.
const POLICY_MAX: usize = 32 * 1024;

/// The program of the policy in this file.
pub(crate) fn of(path: &CStr, is_logged: bool) -> Step<Program> {
    let mut pages = Pages::new(POLICY_MAX).at(Stage::SECCOMP_POLICY)?;
    let text = read(path, pages.as_mut_slice()).at(Stage::SECCOMP_POLICY)?;
    policy::program(&TABLE, text, is_logged).map_err(|(errno, at)| {
        // No policy is as long as the highest number.
        Failure::indexed(Stage::SECCOMP_POLICY, errno.raw(), at as u16)
    })
}

/// Of a file that is nothing else: opening a FIFO or a terminal may block or have effects.
fn read<'b>(path: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
    let mut found = Found::at(path)?;
    if !found.stat.is_file() {
        return Err(Errno::EINVAL);
    }
    found.open()?;
    let len = fs::read_to_end(found.file.raw(), buffer)?;
    if len == buffer.len() {
        return Err(Errno::EFBIG);
    }
    Ok(buffer.get(..len).unwrap_or_default())
}
