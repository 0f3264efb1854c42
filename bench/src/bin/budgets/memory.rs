//! What sandboxes keep, and what wakes up while nothing happens.

use crate::table::Table;
use bench::{Agent, Herd, Letter, Master, World, proc};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Master and guard of one sandbox that does nothing, and the guard of the next.
pub(crate) fn measure_idle(table: &mut Table, world: &World, master: &Master) {
    let mut herd = Herd::new(&world.launch("idle"));
    herd.grow_to(1);
    let processes = [
        ("master", master.pid(), 64.0),
        ("guard", herd.members[0].pids[0], 16.0),
        ("guard that waits for a launch", spare_of(master), 16.0),
    ];
    // Past every deadline that a launch has set.
    sleep(Duration::from_secs(6));
    let watched = Duration::from_secs(6);
    let before = processes.map(|(_, pid, _)| wake_ups(pid));
    sleep(watched);
    for ((name, pid, budget), before) in processes.into_iter().zip(before) {
        table.at_most(&format!("idle {name}, PSS"), proc::pss(pid), budget, "KiB");
        let per_minute = (wake_ups(pid) - before) as f64 * 60.0 / watched.as_secs_f64();
        table.at_most(
            &format!("idle {name}, wake-ups per minute"),
            per_minute,
            0.0,
            "",
        );
    }
}

/// The guard of root's next launch: the master has made it by the time that anybody looks.
fn spare_of(master: &Master) -> i32 {
    sleep(Duration::from_secs(1));
    let mut children = proc::children_of(master.pid()).into_iter();
    let spare = children.find(|pid| proc::name(*pid) == "rocker-next");
    spare.expect("a guard that waits")
}

/// How many sandboxes the average is taken of.
const MANY: usize = 200;

/// Kernel memory per sandbox, of all kinds that `/proc/meminfo` knows. The median of three herds, for whatever else runs on
/// the machine counts too.
pub(crate) fn measure_kernel(table: &mut Table, world: &World) {
    for (name, what) in [
        (
            "gzip",
            "kernel memory per further sandbox, squashfs gzip 128K",
        ),
        (
            "zstd",
            "kernel memory per further sandbox, squashfs zstd 64K",
        ),
        ("erofs", "kernel memory per further sandbox, erofs"),
    ] {
        if name == "erofs" && world.packages.erofs().is_none() {
            continue;
        }
        let values = (0..3).map(|_| per_sandbox(world, name)).collect();
        table.at_most(what, bench::median(values), 90.0, "KiB");
    }
    let values = (0..3).map(|_| per_two_processes(world)).collect();
    let text = format!("{:.0} KiB", bench::median(values));
    table.report("  two processes that wait, without any sandbox", &text);
    // Last and once: its sandboxes live as long as this run.
    let text = format!("{:.0} KiB", per_floor_sandbox(world));
    table.report("  the floor, its package mounted once for all", &text);
}

/// What the floor's sandboxes take: fewer namespaces, and processes that have next to no memory of their own.
fn per_floor_sandbox(world: &World) -> f64 {
    let launch = world.launch("herd-floor");
    let mut floor = Agent::floor(&launch.with(|launch| launch.floor = vec!["-s".to_owned()]));
    let mut grow = |count| {
        for _ in 0..count {
            floor.one(Letter::Keep);
        }
    };
    grow(10);
    let before = proc::kernel_memory();
    grow(MANY);
    (proc::kernel_memory() - before) / MANY as f64
}

/// What a sandbox of one App would take if it were nothing but its processes, App and guard: static ones, which is the least
/// that a process can be.
fn per_two_processes(world: &World) -> f64 {
    let wait = || {
        let mut command = Command::new(world.packages.busybox());
        command.args(["sleep", "1000"]).spawn().expect("it starts")
    };
    let before = proc::kernel_memory();
    let mut children: Vec<_> = (0..2 * MANY).map(|_| wait()).collect();
    let after = proc::kernel_memory();
    for child in &mut children {
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
    }
    (after - before) / MANY as f64
}

fn per_sandbox(world: &World, package: &str) -> f64 {
    let launch = world.launch("herd");
    let package = world.packages.squashfs(package);
    let mut herd = Herd::new(&launch.with(|launch| launch.package = package));
    herd.grow_to(10);
    let before = proc::kernel_memory();
    herd.grow_to(10 + MANY);
    (proc::kernel_memory() - before) / MANY as f64
}

fn wake_ups(pid: i32) -> u64 {
    number(&format!("/proc/{pid}/status"), "voluntary_ctxt_switches:") as u64
}

fn number(file: &str, word: &str) -> f64 {
    proc::number(file, word).expect("a number")
}
