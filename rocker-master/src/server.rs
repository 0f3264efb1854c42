//! `Server`: the one loop, from an event to who handles it.

mod clients;
#[cfg(feature = "exec")]
mod exec;
mod guards;
mod operators;
mod sources;
#[cfg(feature = "spare-guard")]
mod spare;
#[cfg(not(feature = "spare-guard"))]
#[path = "server/spare/nothing.rs"]
mod spare;

pub(crate) use sources::Sources;

use crate::config::Config;
use crate::launcher::Launcher;
use crate::listener::Listener;
use crate::mount_namespace::{Carried, MountNamespace};
use crate::options::Options;
use crate::registry::{Key, Registry};
use rocker_sys::epoll::{Events, FOREVER};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::signal::{self, SIGCHLD, SIGHUP};
use rocker_sys::{Fd, Result, fs, process, time};

/// How long a client may be connected without asking, in milliseconds. An honest one asks at once.
const ASK_TIMEOUT_MS: u64 = 5_000;

/// What an event is about; the low half of its token is a slot's key.
mod token {
    pub(super) const LISTENER: u64 = 1 << 32;
    pub(super) const SIGNALS: u64 = 2 << 32;
    pub(super) const CLIENT: u64 = 3 << 32;
    pub(super) const CHANNEL: u64 = 4 << 32;
    pub(super) const GUARD: u64 = 5 << 32;
    pub(super) const HOST_MOUNTS: u64 = 6 << 32;
    pub(super) const MEMORY: u64 = 7 << 32;
}

/// The master's state.
pub(crate) struct Server<'a> {
    sources: Sources,
    listener: Listener<'a>,
    registry: Registry,
    launcher: Launcher<'a>,
    #[cfg(feature = "spare-guard")]
    spare: spare::Spare,
    /// How many clients have not asked yet.
    asking: usize,
    /// The earliest deadline of one of them, or an earlier one.
    next_deadline_ms: Option<u64>,
    /// Given up for a moment when descriptors run out, so that a client can be told.
    reserve: Option<Fd>,
    /// No descriptor has this number: `RLIMIT_NOFILE`.
    descriptors_end: i32,
}

impl<'a> Server<'a> {
    /// Gets ready. It is large, so nothing here fails: the compiler would build it twice.
    pub(crate) fn new(
        config: Config<'a>,
        listener: Listener<'a>,
        mounts: MountNamespace,
        sources: Sources,
        registry: Registry,
        options: &Options<'a>,
    ) -> Self {
        // A live sandbox takes a descriptor, and the soft limit is often 1024. What cannot be raised stays.
        let descriptors = process::raise_open_files_limit().unwrap_or(1024);
        Self {
            sources,
            listener,
            registry,
            launcher: Launcher::new(config, mounts, options),
            #[cfg(feature = "spare-guard")]
            spare: spare::Spare::new(options),
            asking: 0,
            next_deadline_ms: None,
            reserve: fs::open(c"/dev/null", O_RDONLY).ok(),
            descriptors_end: descriptors.try_into().unwrap_or(i32::MAX),
        }
    }

    /// Serves until a signal ends it.
    #[inline(never)] // smaller by itself
    pub(crate) fn run(&mut self) -> Result<()> {
        let mut events = Events::<16>::new();
        loop {
            self.keep_spare();
            self.sources.epoll.wait(&mut events, self.timeout())?;
            for event in events.tokens() {
                let key = Key::from_bits((event & u64::from(u32::MAX)) as u32);
                match event & !u64::from(u32::MAX) {
                    token::LISTENER => self.accept_some(),
                    token::CLIENT => self.client_spoke(key),
                    token::CHANNEL => drop(self.guard_spoke(key)),
                    token::GUARD => self.guard_ended(key),
                    token::HOST_MOUNTS => {
                        self.launcher.mounts.host_changed();
                        // What fails now is tried again, and told, at the next launch.
                        self.follow_host().unwrap_or_default();
                    }
                    // If it goes on, the kernel says so again.
                    token::MEMORY => {
                        self.launcher.kept.cache.drop_idle();
                        self.drop_spare();
                    }
                    _ => {
                        if self.signalled()? {
                            self.listener.remove();
                            return Ok(());
                        }
                    }
                }
            }
            self.drop_silent_clients();
            self.launcher.kept.cache.drop_overdue(time::monotonic_ms());
            self.unmount_packages();
        }
    }

    fn timeout(&self) -> i32 {
        let deadline = match (
            self.next_deadline_ms,
            self.launcher.kept.cache.next_deadline(),
        ) {
            (Some(one), Some(other)) => one.min(other),
            (None, None) => return FOREVER,
            (one, other) => one.or(other).unwrap_or_default(),
        };
        let left = deadline.saturating_sub(time::monotonic_ms());
        left.min(i32::MAX as u64) as i32
    }

    /// The master's mounts as the host's are now.
    fn follow_host(&mut self) -> Result<()> {
        match self.launcher.mounts.follow_host()? {
            Some(Carried::Everything) => self.launcher.kept.cache.moved(),
            Some(Carried::Nothing) => self.launcher.kept.cache.forget_all(),
            None => {}
        }
        Ok(())
    }

    /// What the cache has let go of.
    fn unmount_packages(&mut self) {
        self.launcher
            .mounts
            .unmount(self.launcher.kept.cache.emptied());
    }

    /// Reads the signals; says whether one of them ends the master.
    fn signalled(&mut self) -> Result<bool> {
        while let Some(caught) = signal::read_signal(self.sources.signals.raw())? {
            match caught.signal {
                SIGCHLD => self.children_ended(),
                SIGHUP => self.reload(),
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Clients that have connected are judged by the new policy when they ask; sandboxes that run go on.
    fn reload(&mut self) {
        // What cannot be followed is tried again, and told, at the next launch.
        self.follow_host().unwrap_or_default();
        self.launcher.config.reload();
        self.launcher.kept.trust.forget_all();
        // Somebody has taken the address away: then nobody can connect at all.
        self.listener
            .admit(&self.launcher.config)
            .unwrap_or_default();
    }
}
