//! Policies that several suites give their masters, and what goes with them.

use crate::{Master, as_user, request, with_ids};
use rocker_client::Request;
use std::time::Duration;

/// How long something may take that happens at once.
pub const SOON: Duration = Duration::from_secs(2);

/// Uid 1000 may start anything as itself.
pub const POLICY_OF_1000: &str = "socket-mode 0666
[peer uid=1000]
package-dir /
exec-dir /
data-dir /
overlay-dir /etc
app-uid 1000
app-gid 1000
";

/// Uid 1000 is an AppMaster: it may start what [`request`] asks for, as Apps of these ids.
pub fn app_master_policy(app_ids: &str) -> String {
    format!(
        "socket-mode 0666
[peer uid=1000]
package-dir /run/app.sqfs
exec-dir /run/exec
data-dir /run/data
overlay-dir /etc
seccomp /run/app.policy
app-uid {app_ids}
app-gid {app_ids}
"
    )
}

/// A master of that policy, and the request for an App of the ids 2000.
pub fn start_for_app_master(app_ids: &str) -> (Master, Request<'static>) {
    let request = with_ids(&request(), 7, 2000, 2000);
    let master = Master::start_with_policy(&app_master_policy(app_ids));
    (master, request)
}

/// Runs an AppMaster, which is to panic if something is wrong.
pub fn app_master(work: impl FnOnce()) {
    let status = as_user(1000, || {
        work();
        0
    });
    assert_eq!(status, 0);
}
