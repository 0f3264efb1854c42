//! `Filter`: a program for `seccomp(2)`.

use crate::resolve;
use crate::step::{At, Step};
use rocker_proto::limits::FILTER_MAX;
use rocker_proto::{Request, Seccomp, Stage};
use rocker_sys::memory::Pages;
use rocker_sys::{Errno, seccomp};

/// The program, in pages that go when the client has it. An empty one is none.
pub(crate) struct Filter {
    pages: Pages,
    len: usize,
}

impl Filter {
    /// The filter that a request asks for.
    ///
    /// # Errors
    /// `EINVAL`: the kernel has no filters.
    pub(crate) fn of(request: &Request<'_>) -> Step<Self> {
        let mut filter = Self {
            pages: Pages::new(FILTER_MAX).at(Stage::SECCOMP)?,
            len: 0,
        };
        match request.seccomp {
            Seccomp::OFF => {}
            Seccomp::DEFAULT => {
                seccomp::is_there().at(Stage::SECCOMP)?;
                filter
                    .put([6, 0, 0, 0, 0, 0, 0xff, 0x7f])
                    .at(Stage::SECCOMP)?;
            }
            Seccomp::FILE => {
                resolve::open(request.policy, 0).at(Stage::SECCOMP_POLICY)?;
                return Err(Errno::ENOSYS).at(Stage::SECCOMP_POLICY);
            }
            _ => return Err(Errno::ENOSYS).at(Stage::SECCOMP),
        }
        Ok(filter)
    }

    fn put(&mut self, instruction: [u8; seccomp::INSTRUCTION_SIZE]) -> Result<(), Errno> {
        let room = self
            .pages
            .as_mut_slice()
            .get_mut(self.len..)
            .unwrap_or_default();
        *room.first_chunk_mut().ok_or(Errno::E2BIG)? = instruction;
        self.len = self.len.saturating_add(instruction.len());
        Ok(())
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.pages.as_slice().get(..self.len).unwrap_or_default()
    }
}
