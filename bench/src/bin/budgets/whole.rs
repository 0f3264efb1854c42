//! Whole commands of ours in turns with those of peers: sandbox, run `busybox true`, tear down; with equal work.

use crate::table::Table;
use bench::peers::{Docker, Kind, PEERS, Peer, Site, Whole};
use bench::{Launch, World, median};

/// A peer's name, and what the first use and the repeated launch may take of its time.
const BUDGETS: [(&str, f64, f64); 4] = [
    ("bwrap", 0.85, 0.35),
    ("crun", 0.75, 0.3),
    ("runc", 0.4, 0.15),
    ("docker", 0.05, 0.02),
];

pub(crate) fn measure(table: &mut Table, world: &World, rounds: usize) {
    let site = Site::make(world);
    // Kept until the end: it is one of the peers.
    let docker = Docker::start(&site);
    if let Err(reason) = &docker {
        table.report("docker", reason);
    }
    for (name, first_use, _repeated) in BUDGETS {
        let peer = PEERS.iter().find(|peer| peer.name == name);
        let peer = peer.expect("one of them");
        let rounds = if peer.is_slow { rounds / 4 } else { rounds };
        let what = format!("whole command, first use, against {name}");
        match in_turns(world, &site, peer, rounds) {
            Ok([mine, theirs]) => {
                table.at_most(&what, mine / theirs, first_use, "x");
                let value = format!("{mine:.0} us and {theirs:.0} us");
                table.report(&format!("  rocker run and {name}"), &value);
            }
            Err(reason) => table.report(&what, &reason),
        }
    }
    table.not_built("whole command, repeated (<= 0.35 / 0.3 / 0.15 / 0.02)");
}

/// Medians: ours and theirs.
fn in_turns(world: &World, site: &Site, peer: &Peer, rounds: usize) -> Result<[f64; 2], String> {
    if let Some(program) = peer.missing() {
        return Err(format!("not installed: no {program}"));
    }
    let mut sides = [
        Whole::of_rocker(&launch(world, "data"), &["true"]),
        Whole::of_peer(peer, site, &launch(world, "peer"), Kind::Equal, &["true"]),
    ];
    let mut taken = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (side, taken) in sides.iter_mut().zip(&mut taken) {
            taken.push(side.time()?);
        }
    }
    Ok(taken.map(median))
}

/// The format that rocker-pack makes unless told otherwise.
fn launch(world: &World, name: &str) -> Launch {
    let launch = world.launch(name);
    launch.with(|launch| launch.package = world.packages.squashfs("zstd"))
}
