//! `Herd`: sandboxes that live while something else is measured.

use crate::{Agent, Launch, Letter, Times};

/// Live sandboxes. They end with the value.
#[derive(Debug)]
pub struct Herd {
    agent: Agent,
    /// What each of them took, and its processes.
    pub members: Vec<Times>,
}

impl Herd {
    /// Nobody yet; every sandbox will be launched like this, with a data directory of its own.
    pub fn new(launch: &Launch) -> Self {
        Self {
            agent: Agent::ours(launch),
            members: Vec::new(),
        }
    }

    /// Launches until this many live.
    pub fn grow_to(&mut self, count: usize) {
        while self.members.len() < count {
            self.members.push(self.agent.one(Letter::Keep));
        }
    }
}

impl Drop for Herd {
    fn drop(&mut self) {
        for member in &self.members {
            // SAFETY: the guard lives: nobody else ends these, and its App, whose parent is our agent, has not been reaped.
            unsafe { libc::kill(member.pids[0], libc::SIGKILL) };
        }
    }
}
