//! `Kernel`: what the kernel can, asked once.

use rocker_proto::{Entrance, Network};
use rocker_sys::namespace::{self, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWUTS};
use rocker_sys::{Fd, OLD_KERNELS, fs, process};

/// What launches ask of the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    /// Does setns take a pidfd (5.8)?
    setns_takes_pidfds: bool,
    /// `CLONE_NEWCGROUP`, if the kernel has cgroups.
    pub(crate) cgroup_namespace: u32,
}

impl Kernel {
    /// Enters two namespaces that this process is in already, which changes nothing. Older kernels say `EINVAL`, and so they
    /// do to a pidfd with no kind at all, so there is no cheaper way to ask.
    pub(crate) fn ask() -> Self {
        let enter = |me: Fd| namespace::setns(me.raw(), CLONE_NEWIPC | CLONE_NEWUTS);
        let entered = || process::pidfd_open(process::pid()).and_then(enter);
        let has_cgroups = fs::access(c"/proc/self/ns/cgroup", 0).is_ok();
        Self {
            setns_takes_pidfds: !OLD_KERNELS || entered().is_ok(),
            cgroup_namespace: if has_cgroups { CLONE_NEWCGROUP } else { 0 },
        }
    }

    /// How who asks gets into a sandbox. By pidfd the guard opens and sends one descriptor instead of six, and the client
    /// enters with one call instead of four. But it takes the right to trace the guard (`PTRACE_MODE_READ_REALCREDS` of
    /// `ptrace(2)`), which a service manager may have taken even from root; who claims it wrongly gets in nowhere.
    ///
    /// A client that is not root enters the user namespace first, by itself, before it makes the process that enters the
    /// rest.
    pub(crate) fn entrance_for(self, network: Network, may_trace: bool, owner: u32) -> Entrance {
        let network = if network == Network::NONE {
            CLONE_NEWNET
        } else {
            0
        };
        let by_pidfd = Entrance::by_pidfd(self.cgroup_namespace | network);
        if self.setns_takes_pidfds && may_trace && owner == 0 {
            by_pidfd
        } else {
            by_pidfd.one_by_one(false)
        }
    }
}
