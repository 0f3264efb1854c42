//! Identity: user and group ids, capabilities, the process attributes that guard them.
#![allow(unsafe_code)]

use crate::arch::{syscall0, syscall2, syscall3, syscall5};
use crate::errno::{Errno, Result, done, ret};
use core::mem::zeroed;
use linux_raw_sys::general as g;
use linux_raw_sys::prctl as p;

/// 32-bit ids have calls of their own where the first ones took 16 bits.
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
mod nr {
    pub(super) use linux_raw_sys::general::{
        __NR_geteuid32 as GETEUID, __NR_setgroups32 as SETGROUPS, __NR_setresgid32 as SETRESGID,
        __NR_setresuid32 as SETRESUID,
    };
}
#[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
mod nr {
    pub(super) use linux_raw_sys::general::{
        __NR_geteuid as GETEUID, __NR_setgroups as SETGROUPS, __NR_setresgid as SETRESGID,
        __NR_setresuid as SETRESUID,
    };
}

/// `geteuid(2)`
pub fn effective_uid() -> u32 {
    // SAFETY: no argument, no effect, never fails. Ids are 32 bits.
    unsafe { syscall0(nr::GETEUID) as u32 }
}

/// Leaves every supplementary group (`setgroups(2)`), of this thread alone.
pub fn clear_groups() -> Result<()> {
    // SAFETY: no group is read from the null list, as the count is 0.
    done(unsafe { syscall2(nr::SETGROUPS, 0, 0) })
}

/// Real, effective and saved group id at once (`setresgid(2)`), of this thread alone.
pub fn set_gid(gid: u32) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall3(nr::SETRESGID, gid as usize, gid as usize, gid as usize) })
}

/// Real, effective and saved user id at once (`setresuid(2)`), of this thread alone.
pub fn set_uid(uid: u32) -> Result<()> {
    set_uid_and_saved(uid, uid)
}

/// The saved user id apart; [`LEAVE`] leaves it until a program is executed, which makes it the same (`execve(2)`). Until then
/// nobody who has the new id may look into this process (`ptrace(2)`).
pub fn set_uid_and_saved(uid: u32, saved: u32) -> Result<()> {
    // SAFETY: integers only.
    done(unsafe { syscall3(nr::SETRESUID, uid as usize, uid as usize, saved as usize) })
}

/// In the place of an id: it stays as it is.
pub const LEAVE: u32 = u32::MAX;

/// Whoever changes its ids keeps its capabilities from here on.
pub fn set_no_setuid_fixup() -> Result<()> {
    // SECBIT_NO_SETUID_FIXUP of linux/securebits.h
    prctl(p::PR_SET_SECUREBITS, 1 << 2, 0)
}

/// Effective user id alone, of this thread alone: the real and the saved one stay, so that whoever has the new one may not
/// do with this process as with their own (`ptrace(2)`).
pub fn set_effective_uid(uid: u32) -> Result<()> {
    let leave = LEAVE as usize;
    // SAFETY: integers only.
    done(unsafe { syscall3(nr::SETRESUID, leave, uid as usize, leave) })
}

/// `prctl(2)` of an option that neither writes to memory nor takes it away, nor has a value. Once, and not in each of its
/// callers: they are many, and their programs small.
#[inline(never)]
pub(crate) fn prctl(option: u32, a: usize, b: usize) -> Result<()> {
    // SAFETY: the options used in this crate take integers, or the address of what the kernel only reads.
    done(unsafe { syscall5(g::__NR_prctl, option as usize, a, b, 0, 0) })
}

/// Drops every capability from the bounding set (`capabilities(7)`): no exec can bring one back.
///
/// # Errors
/// `EPERM` without CAP_SETPCAP in the user namespace.
pub fn drop_bounding_set() -> Result<()> {
    for capability in 0..64 {
        match prctl(p::PR_CAPBSET_DROP, capability, 0) {
            Ok(_) => {}
            // Past the last one that this kernel knows.
            Err(Errno::EINVAL) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Empties the ambient, inheritable, permitted and effective sets (`capset(2)`).
pub fn drop_capabilities() -> Result<()> {
    match prctl(p::PR_CAP_AMBIENT, p::PR_CAP_AMBIENT_CLEAR_ALL as usize, 0) {
        // EINVAL: before 4.3, where there is no ambient set.
        Ok(_) | Err(Errno::EINVAL) => {}
        Err(errno) => return Err(errno),
    }
    let header = g::__user_cap_header_struct {
        version: g::_LINUX_CAPABILITY_VERSION_3,
        pid: 0,
    };
    // SAFETY: integers only, for which zero is a value.
    let none: [g::__user_cap_data_struct; 2] = unsafe { zeroed() };
    // SAFETY: the kernel reads the header and, for version 3, two data structures; it writes the header's version only
    // if it does not know ours.
    done(unsafe {
        syscall2(
            g::__NR_capset,
            (&raw const header) as usize,
            none.as_ptr() as usize,
        )
    })
}

/// Is this capability, a number below 32, effective (`capget(2)`)?
pub fn has_capability(capability: u32) -> bool {
    let mut header = g::__user_cap_header_struct {
        version: g::_LINUX_CAPABILITY_VERSION_3,
        pid: 0,
    };
    // SAFETY: integers only, for which zero is a value.
    let mut sets: [g::__user_cap_data_struct; 2] = unsafe { zeroed() };
    // SAFETY: the kernel reads the header and, for version 3, writes two data structures; it writes the header's version
    // if it does not know ours.
    unsafe {
        syscall2(
            g::__NR_capget,
            (&raw mut header) as usize,
            sets.as_mut_ptr() as usize,
        )
    };
    let [low, _] = sets;
    low.effective & 1u32.wrapping_shl(capability) != 0
}

/// No exec gives privileges from now on (`PR_SET_NO_NEW_PRIVS`).
pub fn set_no_new_privs() -> Result<()> {
    prctl(p::PR_SET_NO_NEW_PRIVS, 1, 0)
}

/// Whether others of the same uid may look into this process (`PR_SET_DUMPABLE`): ptrace, `/proc/PID/mem`, core dumps. It
/// belongs to the memory, so it holds for everyone who shares it.
pub fn set_dumpable(dumpable: bool) -> Result<()> {
    prctl(p::PR_SET_DUMPABLE, dumpable.into(), 0)
}

/// `PR_GET_DUMPABLE`: is it 1, that is, an ordinary process?
pub fn is_dumpable() -> Result<bool> {
    // SAFETY: integers only.
    let flag = ret(unsafe { syscall5(g::__NR_prctl, p::PR_GET_DUMPABLE as usize, 0, 0, 0, 0) })?;
    Ok(flag == 1)
}

/// The signal that this process gets when its parent's thread ends (`PR_SET_PDEATHSIG`).
pub fn set_parent_death_signal(signal: u32) -> Result<()> {
    prctl(p::PR_SET_PDEATHSIG, signal as usize, 0)
}

/// Whether this process becomes the parent of descendants whose parents end, in the place of PID 1
/// (`PR_SET_CHILD_SUBREAPER`).
pub fn set_child_subreaper(adopt: bool) -> Result<()> {
    prctl(p::PR_SET_CHILD_SUBREAPER, adopt.into(), 0)
}

/// The name of the calling thread, as `/proc/PID/comm` shows it (`PR_SET_NAME`): 15 bytes and a NUL.
pub fn set_name(name: &[u8; 16]) -> Result<()> {
    // SAFETY: the kernel reads at most 16 bytes, and the array has 16.
    done(unsafe {
        syscall5(
            g::__NR_prctl,
            p::PR_SET_NAME as usize,
            name.as_ptr() as usize,
            0,
            0,
            0,
        )
    })
}
