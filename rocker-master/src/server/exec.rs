//! The way into a sandbox that runs, for one process more.

use super::Server;
use crate::guard::{Guard, Phase};
use crate::registry::State;
use rocker_guard::{Doors, Filter};
use rocker_proto::{At, ExecReply, ExecRequest, Failure, Reply, Seccomp, Stage, Welcome};
use rocker_sys::{Errno, Fd, StackPath, socket};

impl Server<'_> {
    /// Gives the client what it takes to become a process of this sandbox: its namespaces, its ids, and the App's own filter.
    /// Whoever is in there with less of a filter, the App could take it over.
    pub(super) fn let_in(&self, client: &Fd, request: &ExecRequest) -> Result<(), Failure> {
        let guard = self.find_guard(request);
        let guard = guard.ok_or(Failure::of(Stage::GUARD_NAME, Errno::ESRCH))?;
        let tenant = &guard.tenant;
        if tenant.seccomp.filter() == Seccomp::FILE {
            // The file may say something else by now.
            return Err(Failure::of(Stage::SECCOMP_POLICY, Errno::ENODATA));
        }
        let mut filter = Filter::of(tenant.seccomp, c"")?;
        let kernel = self.launcher.kernel;
        let entrance = kernel.entrance_for(tenant.network, true, 0);
        let number = guard.pid.unsigned_abs();
        let namespaces = StackPath::<32>::numbered(b"/proc/", number, b"/ns");
        let namespaces = namespaces.at(Stage::NAMESPACES)?;
        let mut doors = Doors::closed(entrance, guard.pid, namespaces.as_c_str());
        doors.open()?;
        let welcome = Reply {
            outcome: Ok(Welcome {
                name: request.name,
                entrance: doors.entrance(),
            }),
        };
        let ids = ExecReply {
            uid: tenant.uid,
            gid: tenant.gid,
        }
        .encode();
        let client = client.raw();
        // Neither is waited for: they are the first that go this way. Who has left does not need them.
        socket::send(client, &welcome.encode(), doors.numbers().as_slice())
            .and_then(|()| socket::send(client, filter.before(&ids), &[]))
            .unwrap_or_default();
        Ok(())
    }

    /// The guard of this name, if its sandbox runs. Its process has not been reaped, so that its number is its own.
    fn find_guard(&self, request: &ExecRequest) -> Option<&Guard> {
        let is_meant = |guard: &&Guard| {
            let is_built = matches!(guard.phase, Phase::Ready | Phase::Running);
            // As long as the process that makes a guard is there, nobody has said which one the guard is.
            guard.tenant.guard == request.name && is_built && !guard.is_group
        };
        let mut guards = self.registry.iter().filter_map(|(_, state)| match state {
            State::Guard(guard) => Some(guard),
            State::Asking { .. } => None,
        });
        guards.find(is_meant)
    }
}
