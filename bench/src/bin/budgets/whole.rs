//! Whole commands: sandbox, run `busybox true`, tear down; with equal work. What a peer cannot mount itself (package and
//! overlays), the floor program mounts before it executes the peer.

use crate::table::Table;
use bench::{Launch, World, median, wait_until_free};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A peer's name, its budget, and its command line up to the App's.
const PEERS: [(&str, f64, &[&str]); 2] = [
    (
        "bwrap",
        0.85,
        &[
            "bwrap",
            "--unshare-user",
            "--uid",
            "1000",
            "--gid",
            "1000",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--bind",
            "/",
            "/",
            "--dev-bind",
            "/dev",
            "/dev",
            "--proc",
            "/proc",
        ],
    ),
    (
        "unshare",
        f64::NAN,
        &[
            "unshare",
            "--user",
            "--map-user=1000",
            "--map-group=1000",
            "--pid",
            "--fork",
            "--mount",
            "--mount-proc",
            "--ipc",
            "--uts",
        ],
    ),
];

pub(crate) fn measure(table: &mut Table, world: &World, rounds: usize) {
    // The format that rocker-pack makes unless told otherwise.
    let of = |name| {
        let launch = world.launch(name);
        launch.with(|launch| launch.package = world.packages.squashfs("zstd"))
    };
    let (ours, theirs) = (of("data"), of("floor"));
    for (name, budget, start) in PEERS {
        let Some((mine, peer)) = in_turns(&ours, &theirs, start, rounds) else {
            table.report(&format!("whole command against {name}"), "not installed");
            continue;
        };
        let what = format!("whole command, first use, against {name}");
        if budget.is_nan() {
            table.report(&what, &format!("{:.2}x", mine / peer));
        } else {
            table.at_most(&what, mine / peer, budget, "x");
        }
        let value = format!("{mine:.0} us and {peer:.0} us");
        table.report(&format!("  rocker run and {name}"), &value);
    }
    table
        .not_built("whole command, first use, against crun / runc / docker (<= 0.75 / 0.4 / 0.05)");
    let others = "whole command, first use, against crun / runc / docker (<= 0.75 / 0.4 / 0.05)";
    table.report(others, "not measured");
    table.not_built("whole command, repeated (<= 0.35 / 0.3 / 0.15 / 0.02)");
}

/// Medians of both. `None`: there is no such peer.
fn in_turns(ours: &Launch, theirs: &Launch, start: &[&str], rounds: usize) -> Option<(f64, f64)> {
    let (mut mine, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        mine.push(time(&mut rocker(ours), ours)?);
        peer.push(time(&mut with_mounts(theirs, start), theirs)?);
    }
    Some((median(mine), median(peer)))
}

fn rocker(launch: &Launch) -> Command {
    let mut command = Command::new(rocker_testing::binary("rocker"));
    command.args(["run", "--uid", "1000", "--gid", "1000", "--exec-dir"]);
    command
        .arg(&launch.exec_dir)
        .arg("--data-dir")
        .arg(&launch.data_dir);
    for overlay in &launch.overlays {
        command.arg("--overlay").arg(overlay);
    }
    command.arg(&launch.package).arg("--");
    command.arg(launch.exec_dir.join("busybox")).arg("true");
    command
}

fn with_mounts(launch: &Launch, peer: &[&str]) -> Command {
    let mut command = Command::new(bench::FLOOR);
    command.arg("-w").args(launch.arguments()).args(peer);
    command.arg(launch.exec_dir.join("busybox")).arg("true");
    command
}

/// Microseconds from the call until everything has gone, in which the App must have succeeded.
fn time(command: &mut Command, launch: &Launch) -> Option<f64> {
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let call = Instant::now();
    let status = command.status().expect("it starts");
    if !status.success() {
        return None;
    }
    wait_until_free(&launch.package);
    Some(call.elapsed().as_secs_f64() * 1e6)
}
