//! `Intruder`: an App that does its worst, and stays while the host looks at it.

use crate::entry::{Entry, enter};
use rocker_client::Request;
use rocker_proto::Seccomp;
use rocker_testing::{eventually, is_there, pipe, wait_for};
use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

/// The usual launch without a filter of system calls, which would stand in an attacker's way before the defence in question.
pub fn unfiltered() -> Request<'static> {
    Request {
        seccomp: Seccomp::OFF,
        ..rocker_testing::request()
    }
}

/// It has done what it came for, and waits.
pub struct Intruder {
    /// The App's process, as the host sees it.
    pub app_pid: i32,
    /// Its guard.
    pub guard_pid: i32,
    /// What it carried out.
    pub loot: Vec<u8>,
    hold: File,
}

impl Intruder {
    /// Sends one in; returns when it is done. What `crime` gives is its loot.
    pub fn send(request: &Request<'_>, entry: Entry, crime: &dyn Fn() -> Vec<u8>) -> Self {
        let (mut carried, carry) = pipe();
        let (held, hold) = pipe();
        let app = || {
            let loot = crime();
            let len = u32::try_from(loot.len()).unwrap().to_ne_bytes();
            (&carry)
                .write_all(&[&len, loot.as_slice()].concat())
                .unwrap();
            (&held).read_exact(&mut [0]).unwrap();
            0
        };
        let entered = enter(request, entry, &app);
        drop(carry);
        let mut len = [0; 4];
        carried
            .read_exact(&mut len)
            .expect("the attacker fell over");
        let mut loot = vec![0; u32::from_ne_bytes(len) as usize];
        carried.read_exact(&mut loot).unwrap();
        Self {
            app_pid: entered.app_pid,
            guard_pid: entered.guard_pid,
            loot,
            hold,
        }
    }

    /// Lets it go, and waits until it and its guard are gone. Gives the loot.
    pub fn end(mut self) -> Vec<u8> {
        self.hold.write_all(b".").unwrap();
        assert_eq!(wait_for(self.app_pid), 0);
        eventually("the guard has ended", Duration::from_secs(2), || {
            !is_there(self.guard_pid)
        });
        self.loot
    }
}

/// Sends an intruder in, and gives what it carried out.
pub fn loot_of(request: &Request<'_>, entry: Entry, crime: &dyn Fn() -> Vec<u8>) -> Vec<u8> {
    Intruder::send(request, entry, crime).end()
}

/// Does one hold the other?
pub fn holds(loot: &[u8], secret: &[u8]) -> bool {
    loot.windows(secret.len()).any(|window| window == secret)
}
