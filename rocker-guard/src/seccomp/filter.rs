//! `Filter`: what a request's choice comes to.

use super::answer::Answer;
use super::program::Program;
use super::table::TABLE;
use super::{builtin, policy_file};
use crate::step::At;
use core::ffi::CStr;
use rocker_proto::{Failure, Seccomp, Stage};
use rocker_sys::{Errno, seccomp};

/// The program to be installed, or none.
pub struct Filter(Option<Program>);

impl Filter {
    /// The filter of this choice: what it says, or this file of a policy does.
    ///
    /// # Errors
    /// The stage and errno of what is missing: in the kernel, in the policy, or of memory.
    #[inline(never)] // smaller by itself
    pub fn of(choice: Seccomp, policy: &CStr) -> Result<Self, Failure> {
        if choice == Seccomp::OFF {
            return Ok(Self(None));
        }
        check_kernel(choice).at(Stage::SECCOMP)?;
        let is_logged = choice.is_logged();
        let program = if choice.filter() == Seccomp::FILE {
            policy_file::of(policy, is_logged)?
        } else {
            let is_strict = choice.filter() == Seccomp::STRICT;
            builtin::program(&TABLE, is_strict, is_logged).at(Stage::SECCOMP)?
        };
        Ok(Self(Some(program)))
    }

    /// As it is sent: with the message behind it that says what it is for, which is no longer than a [`Reply`](rocker_proto::Reply).
    pub fn before<'a, const N: usize>(&'a mut self, reply: &'a [u8; N]) -> &'a [u8] {
        match &mut self.0 {
            Some(program) => program.before(reply),
            None => reply,
        }
    }
}

/// Better here than in the client's child: there the caller has been told already that its App runs.
fn check_kernel(choice: Seccomp) -> Result<(), Errno> {
    seccomp::is_there()?;
    let can_log = !choice.is_logged() || seccomp::knows_action(Answer::LOG.0);
    if TABLE.architecture == 0 || !can_log {
        return Err(Errno::EOPNOTSUPP);
    }
    Ok(())
}
