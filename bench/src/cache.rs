//! What the master keeps mounted when a sandbox has gone.

use crate::wait_until_free;
use rocker_client::{CacheRequest, DEFAULT_SOCKET, ask_cache};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Asks the master to unmount what nobody uses, until this package is gone too: the next launch is a first use.
pub fn forget(package: &Path) {
    until_users(package, CacheRequest::Drop, |users| users.is_none());
    wait_until_free(package);
}

/// Waits until the master has seen the last sandbox of this package end.
pub fn wait_until_unused(package: &Path) {
    until_users(package, CacheRequest::List, |users| {
        users.is_none_or(|users| users == 0)
    });
}

/// Asks until this holds for how many sandboxes use the package, if it is mounted.
fn until_users(package: &Path, request: CacheRequest, holds: impl Fn(Option<u32>) -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    let users = || {
        let mut users = None;
        let asked = ask_cache(DEFAULT_SOCKET, request, |entry| {
            if entry
                .package
                .is_some_and(|path| path.to_bytes() == package.as_os_str().as_bytes())
            {
                users = Some(entry.users);
            }
        });
        asked.expect("the master answers");
        users
    };
    while !holds(users()) {
        assert!(Instant::now() < limit, "{} stays", package.display());
        std::thread::yield_now();
    }
}
