//! `Launcher`: what launches need of the master.

use crate::call::Call;
use crate::config::Config;
use crate::kept::Kept;
use crate::kernel::Kernel;
use crate::mount_namespace::MountNamespace;
use crate::name::Names;
use crate::options::Options;
use rocker_guard::Plan;
use rocker_proto::Request;
use rocker_sys::namespace::{CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS};
use rocker_sys::{Fd, time};

/// What every sandbox gets, of which every kernel has it.
const ALWAYS: u32 = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

/// A guard that is cloned has a copy of it, and makes its plan of that.
pub(crate) struct Launcher<'a> {
    pub(crate) config: Config<'a>,
    pub(crate) mounts: MountNamespace,
    pub(crate) kept: Kept<'a>,
    pub(crate) kernel: Kernel,
    pub(crate) names: Names,
}

impl<'a> Launcher<'a> {
    /// It is large, so nothing here fails: the compiler would build it twice.
    pub(crate) fn new(config: Config<'a>, mounts: MountNamespace, options: &Options<'a>) -> Self {
        Self {
            config,
            mounts,
            kept: Kept::new(options),
            kernel: Kernel::ask(),
            names: Names::new(time::monotonic_us()),
        }
    }

    /// What the guard must know that has been called for this.
    #[inline(always)] // smaller
    pub(crate) fn plan<'p>(
        &'p self,
        owner: u32,
        request: &'p Request<'p>,
        call: &Call,
        user_namespace: Option<&Fd>,
        (client, master): (&Fd, &Fd),
    ) -> Plan<'p> {
        Plan {
            request,
            name: call.name,
            owner,
            user_namespace: user_namespace.map(Fd::raw),
            namespaces: self.namespaces(),
            entrance: self
                .kernel
                .entrance_for(request.network, request.may_trace, owner),
            client: client.raw(),
            master: master.raw(),
            mounts: self.mounts.points(),
            cache: self.kept.cache.view(call.free, self.mounts.cache()),
            trust: self.kept.trust.view(call.requires_signature),
        }
    }

    /// What every sandbox gets.
    pub(crate) fn namespaces(&self) -> u32 {
        ALWAYS | self.kernel.cgroup_namespace
    }
}
