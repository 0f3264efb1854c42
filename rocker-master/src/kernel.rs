//! `Kernel`: what the kernel can, asked once.

use rocker_proto::Entrance;
use rocker_sys::namespace::{self, CLONE_NEWIPC, CLONE_NEWUTS};
use rocker_sys::process;
use rocker_sys::socket::Credentials;

/// What launches ask of the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    /// Does setns take a pidfd (5.8)?
    setns_takes_pidfds: bool,
}

impl Kernel {
    /// Enters two namespaces that this process is in already, which changes nothing. Older kernels say `EINVAL`, and so they
    /// do to a pidfd with no kind at all, so there is no cheaper way to ask.
    pub(crate) fn ask() -> Self {
        let entered = process::pidfd_open(process::pid())
            .and_then(|me| namespace::setns(me.raw(), CLONE_NEWIPC | CLONE_NEWUTS));
        Self {
            setns_takes_pidfds: entered.is_ok(),
        }
    }

    /// How this peer gets into a sandbox. By pidfd the guard opens and sends one descriptor instead of six, and the client
    /// enters with one call instead of four. But it takes the right to trace the guard (`PTRACE_MODE_READ_REALCREDS` of
    /// `ptrace(2)`), which is root's.
    pub(crate) fn entrance_for(self, peer: &Credentials) -> Entrance {
        if self.setns_takes_pidfds && peer.uid == 0 {
            Entrance::Pidfd
        } else {
            Entrance::Namespaces
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_alone_enters_by_pidfd_and_only_where_the_kernel_can() {
        let entrance = |setns_takes_pidfds, uid| {
            let (pid, gid) = (1, 0);
            Kernel { setns_takes_pidfds }.entrance_for(&Credentials { pid, uid, gid })
        };
        assert_eq!(entrance(true, 0), Entrance::Pidfd);
        assert_eq!(entrance(true, 1000), Entrance::Namespaces);
        assert_eq!(entrance(true, u32::MAX), Entrance::Namespaces);
        assert_eq!(entrance(false, 0), Entrance::Namespaces);
    }
}
