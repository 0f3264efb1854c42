//! `Server`: an App that runs.

use crate::app::App;
use crate::site::{Kind, Site};
use rocker_testing::{children_of, kill};
use std::fs::{self, File};
use std::process::Child;
use std::time::{Duration, Instant};

/// How long any server may take to come up or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries to reach it.
const TRY_AGAIN: Duration = Duration::from_micros(200);

/// A server that has answered once.
pub(crate) struct Server {
    child: Child,
    /// The App's first process.
    pub(crate) pid: i32,
    /// From the start of the command to the first answer, in milliseconds.
    pub(crate) start: f64,
    signal: i32,
}

impl Server {
    /// Starts it and waits until it answers.
    pub(crate) fn start(app: &dyn App, site: &Site) -> Self {
        app.tidy(site);
        let log = site.dir.join("log");
        let mut command = site.command(&app.arguments(site));
        command.stdout(File::create(&log).expect("a log"));
        command.stderr(File::options().append(true).open(&log).expect("a log"));
        let called = Instant::now();
        let mut child = command.spawn().expect("it starts");
        while !app.answers(site) {
            let ended = child.try_wait().expect("a child");
            let text = || fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none(), "{} ended: {}", app.name(), text());
            assert!(called.elapsed() < PATIENCE, "{}: {}", app.name(), text());
            std::thread::sleep(TRY_AGAIN);
        }
        let start = called.elapsed().as_secs_f64() * 1e3;
        let pid = first_process(&child, site);
        Self {
            child,
            pid,
            start,
            signal: app.end_signal(),
        }
    }

    /// Its processes.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let mut processes = vec![self.pid];
        let mut next = 0;
        while let Some(pid) = processes.get(next) {
            processes.extend(children_of(*pid));
            next += 1;
        }
        processes
    }

    /// What runs only because there is a sandbox: the command, and the guard below the master.
    pub(crate) fn helpers(&self, master: Option<i32>) -> Vec<i32> {
        let Some(master) = master else {
            return Vec::new();
        };
        let mut helpers = children_of(master);
        helpers.extend([master, self.child.id().cast_signed()]);
        helpers
    }

    /// Ends it, and waits until it has.
    pub(crate) fn end(mut self) {
        kill(self.pid, self.signal);
        let status = self.child.wait().expect("a child");
        assert!(status.success(), "the server failed: {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only if `end` was not reached: a failure is on its way up.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.child.kill().unwrap_or_default();
            self.child.wait().expect("a child");
        }
    }
}

/// Seconds that these and the children they have waited for have run. It counts work, not waiting: what else runs on the
/// machine changes it less than it changes throughput.
pub(crate) fn processor_time(pids: &[i32]) -> f64 {
    let ticks = |pid: &i32| -> f64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name may hold blanks; behind it come state and numbers, from the 12th on utime, stime, cutime and cstime.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        let numbers = rest.split_whitespace().skip(11).take(4);
        numbers.filter_map(|word| word.parse::<f64>().ok()).sum()
    };
    // SAFETY: an integer only.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    pids.iter().map(ticks).sum::<f64>() / per_second as f64
}

/// The child itself, or the App below `rocker run`, which must be in a mount namespace of its own.
fn first_process(child: &Child, site: &Site) -> i32 {
    let child = child.id().cast_signed();
    if site.kind == Kind::Outside {
        return child;
    }
    let app = children_of(child).into_iter().next();
    let app = app.expect("the App is a child of the command");
    let namespace = |pid| fs::read_link(format!("/proc/{pid}/ns/mnt")).expect("a namespace");
    assert_ne!(namespace(app), namespace(child), "no sandbox");
    app
}
