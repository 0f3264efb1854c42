//! `Filter`: what a request's choice comes to.

use super::answer::Answer;
use super::program::Program;
use super::table::TABLE;
use super::{builtin, policy};
use crate::resolve;
use crate::step::{At, Step};
use rocker_proto::{Failure, Request, Seccomp, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::{Errno, fs, seccomp};

/// The longest policy: far more than anybody writes, and every byte has a number of 16 bits.
const POLICY_MAX: usize = 32 * 1024;

/// The program to be installed, or none.
pub(crate) struct Filter(Option<Program>);

impl Filter {
    /// The filter that a request asks for.
    pub(crate) fn of(request: &Request<'_>) -> Step<Self> {
        let choice = request.seccomp;
        if choice == Seccomp::OFF {
            return Ok(Self(None));
        }
        check_kernel(choice).at(Stage::SECCOMP)?;
        let is_logged = choice.is_logged();
        let program = if choice.filter() == Seccomp::FILE {
            read_policy(request, is_logged)?
        } else {
            let is_strict = choice.filter() == Seccomp::STRICT;
            builtin::program(&TABLE, is_strict, is_logged).at(Stage::SECCOMP)?
        };
        Ok(Self(Some(program)))
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map(Program::bytes).unwrap_or_default()
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

fn read_policy(request: &Request<'_>, is_logged: bool) -> Step<Program> {
    let mut pages = Pages::new(POLICY_MAX).at(Stage::SECCOMP_POLICY)?;
    let text = read(request, pages.as_mut_slice()).at(Stage::SECCOMP_POLICY)?;
    policy::program(&TABLE, text, is_logged).map_err(|(errno, at)| {
        // No policy is as long as the highest number.
        Failure::indexed(Stage::SECCOMP_POLICY, errno.raw(), at as u16)
    })
}

fn read<'b>(request: &Request<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    let (file, _) = resolve::open_to_read(request.policy, |stat| {
        stat.is_file().then_some(()).ok_or(Errno::EINVAL)
    })?;
    let len = fs::read_to_end(file.raw(), buffer)?;
    if len == buffer.len() {
        return Err(Errno::EFBIG);
    }
    Ok(buffer.get(..len).unwrap_or_default())
}
