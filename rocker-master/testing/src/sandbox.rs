//! `Sandbox`: one with an App inside that stays as long as the test wants.

use crate::app::{App, launch, wait_for};
use crate::peer::Peer;
use crate::pipe::pipe;
use crate::process::is_there;
use crate::traces::eventually;
use rocker_client::{CacheRequest, Failure, Launched, Request};
use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

/// A sandbox whose App waits for the test. It ends with the case at the latest.
pub struct Sandbox {
    /// What the launch gave.
    pub launched: Launched,
    hold: File,
}

impl Sandbox {
    /// Its App does nothing but wait.
    pub fn start(request: &Request<'_>) -> Self {
        Self::start_with(request, &|| {}).unwrap()
    }

    /// Its App does something first; this returns when that is done.
    pub fn start_with(request: &Request<'_>, first: &dyn Fn()) -> Result<Self, Failure> {
        let (mut done, say_done) = pipe();
        let (held, hold) = pipe();
        let app = || {
            first();
            (&say_done).write_all(b".").unwrap();
            // A byte, and not the end of the pipe, of which other Apps may hold copies.
            (&held).read_exact(&mut [0]).unwrap();
            0
        };
        let launched = launch(request, &app)?;
        drop(say_done);
        assert_eq!(done.read(&mut [0]).unwrap(), 1, "the App did not get there");
        Ok(Self { launched, hold })
    }

    /// The App, as the case sees it.
    pub fn app_pid(&self) -> i32 {
        self.launched.app_pid
    }

    /// The guard, as the case sees it.
    pub fn guard_pid(&self) -> i32 {
        self.launched.guard_pid
    }

    /// Lets the App end. It is not waited for.
    pub fn let_go(&mut self) {
        self.hold.write_all(b".").unwrap();
    }

    /// Ends the App, and waits until App and guard are gone.
    pub fn end(mut self) {
        self.let_go();
        assert_eq!(wait_for(self.app_pid()), 0);
        wait_for_guard(&self.launched);
    }
}

/// Waits until the guard is gone, and the master has let go of what it kept for it.
pub fn wait_for_guard(launched: &Launched) {
    eventually("the guard has ended", Duration::from_secs(2), || {
        !is_there(launched.guard_pid)
    });
    wait_for_master();
}

/// Waits until the master has done everything that it had to do so far, if one is left: it does one thing after another, and
/// closing the connection of whoever asks for the cache is the last of them. It may be the first of its batch, if epoll still
/// had the listener in its list; the second time it is of a later one.
pub fn wait_for_master() {
    for _ in 0..2 {
        let Ok(peer) = Peer::connect() else { return };
        if peer.send(&CacheRequest::List.encode()).is_ok() {
            while !peer.receive(Duration::from_secs(2)).is_empty() {}
        }
    }
}

/// What an App has to tell: launches it, waits until it and its guard are gone, and gives its text.
pub fn ask(request: &Request<'_>, app: &dyn Fn() -> String) -> String {
    let (mut answer, tell) = pipe();
    let told = || {
        (&tell).write_all(app().as_bytes()).unwrap();
        0
    };
    let app: App<'_> = &told;
    let launched = launch(request, app).unwrap();
    drop(tell);
    let mut text = String::new();
    answer.read_to_string(&mut text).unwrap();
    assert_eq!(wait_for(launched.app_pid), 0, "the App failed");
    wait_for_guard(&launched);
    text
}
