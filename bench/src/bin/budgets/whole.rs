//! Whole commands of ours in turns with those of peers: sandbox, run `busybox true`, tear down; with equal work.

use crate::table::Table;
use bench::peers::{Docker, Kind, PEERS, Peer, Site, Whole};
use bench::{World, median};

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
    for (name, first_use, repeated) in BUDGETS {
        let peer = PEERS.iter().find(|peer| peer.name == name);
        let peer = peer.expect("one of them");
        let rounds = if peer.is_slow { rounds / 4 } else { rounds };
        for (what, is_first_use, budget) in [
            ("first use", true, first_use),
            ("repeated", false, repeated),
        ] {
            let what = format!("whole command, {what}, against {name}");
            match in_turns(world, &site, peer, is_first_use, rounds) {
                Ok([mine, theirs]) => {
                    table.at_most(&what, mine / theirs, budget, "x");
                    let value = format!("{mine:.0} us and {theirs:.0} us");
                    table.report(&format!("  rocker run and {name}"), &value);
                }
                Err(reason) => table.report(&what, &reason),
            }
        }
    }
}

/// Medians: ours and theirs.
fn in_turns(
    world: &World,
    site: &Site,
    peer: &Peer,
    is_first_use: bool,
    rounds: usize,
) -> Result<[f64; 2], String> {
    if let Some(program) = peer.missing() {
        return Err(format!("not installed: no {program}"));
    }
    // The format that rocker-pack makes unless told otherwise.
    let [own, theirs] = [world.packages.own("zstd"), world.packages.squashfs("zstd")];
    let ours = world.launch("data").with(|launch| {
        launch.package = own;
        launch.is_first_use = is_first_use;
    });
    let theirs = world.launch("peer").with(|launch| launch.package = theirs);
    let mut sides = [
        Whole::of_rocker(&ours, &["true"]),
        Whole::of_peer(peer, site, &theirs, Kind::Equal, &["true"]),
    ];
    let mut taken = [const { Vec::new() }; 2];
    // The first makes directories, fills caches, and mounts what is repeated.
    sides[0].time()?;
    for _ in 0..rounds {
        for (side, taken) in sides.iter_mut().zip(&mut taken) {
            taken.push(side.time()?);
        }
    }
    Ok(taken.map(median))
}
