//! What runs besides the App while one sandbox does: the proportional set size of every process that has come with it.

use bench::peers::{Docker, Kind, PEERS, Site, Whole};
use bench::{Agent, Letter, World, proc};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) fn measure(world: &World, site: &Site, docker: Option<&Docker>) {
    println!("| helper memory, one sandbox | PSS |\n|---|---|");
    let mut agent = Agent::ours(&world.launch("memory"));
    let guard = agent.one(Letter::Keep).pids[0];
    row("Rocker from C: the guard", Ok(proc::pss(guard)));
    // SAFETY: the guard lives: its App's parent, our agent, has not reaped the App.
    unsafe { libc::kill(guard, libc::SIGKILL) };
    drop(agent);
    let rocker = Whole::of_rocker(&world.launch("memory"), APP);
    row("rocker run: it and the guard", helpers(rocker));
    for peer in PEERS {
        let whole = || Whole::of_peer(peer, site, &world.launch("memory"), Kind::Detached, APP);
        let helpers = match peer.missing() {
            Some(program) => Err(format!("not installed: no {program}")),
            None => helpers(whole()),
        };
        row(peer.name, helpers);
    }
    if let Some(docker) = docker {
        let daemons: f64 = [docker.pid()]
            .into_iter()
            .chain(proc::children_of(docker.pid()))
            .map(proc::pss)
            .sum();
        row("docker's daemons, whatever runs", Ok(daemons));
    }
    println!();
}

/// What is run.
const APP: &[&str] = &["sleep", "9999"];

fn row(name: &str, kib: Result<f64, String>) {
    match kib {
        Ok(kib) => println!("| {name} | {kib:.0} KiB |"),
        Err(reason) => println!("| {name} | {reason} |"),
    }
}

/// Runs the command, adds up what is new but for the App, and ends the App.
fn helpers(mut command: Whole) -> Result<f64, String> {
    let before: BTreeSet<i32> = proc::all().collect();
    let mut child = command.start().map_err(|error| error.to_string())?;
    let new = || proc::all().filter(|pid| !before.contains(pid));
    let limit = Instant::now() + Duration::from_secs(10);
    let app = loop {
        if let Some(app) = new().find(|pid| {
            proc::command_line(*pid).ends_with("sleep\09999\0") && proc::name(*pid) == "busybox"
        }) {
            break app;
        }
        // One that detaches has done its part.
        if let Ok(Some(status)) = child.try_wait()
            && !status.success()
        {
            return Err(format!("cannot run here: {status}"));
        }
        if Instant::now() > limit {
            child.kill().map_err(|error| error.to_string())?;
            return Err("its App does not start".to_owned());
        }
    };
    let sum = || new().filter(|pid| *pid != app).map(proc::pss).sum::<f64>();
    let mut kib = sum();
    // Those who only helped at the start go; what stays is asked for. Some never stay the same, hence the limit.
    for _ in 0..25 {
        sleep(Duration::from_millis(20));
        let now = sum();
        if now == kib {
            break;
        }
        kib = now;
    }
    // SAFETY: its helpers, which would reap it, live; they end with it.
    unsafe { libc::kill(app, libc::SIGKILL) };
    child.wait().map_err(|error| error.to_string())?;
    bury(&before);
    Ok(kib)
}

/// Helpers that outlive their command have become children of this process, PID 1.
fn bury(before: &BTreeSet<i32>) {
    let limit = Instant::now() + Duration::from_secs(10);
    while Instant::now() < limit {
        let left: Vec<i32> = proc::all().filter(|pid| !before.contains(pid)).collect();
        if left.is_empty() {
            return;
        }
        for pid in left {
            // SAFETY: no status is asked for; one that is not ours is left alone.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) };
        }
    }
}
