//! Two builds of Rocker in turns, with the floor: what has a change gained?
//!
//! `compare DIR DIR...`, where each directory holds a rocker-master and, if the client has changed too, the `compare` built
//! with it. Prints the medians and lower quartiles of a launch with three overlays of a squashfs package.

use bench::{Agent, Letter, Master, Samples, World};
use std::path::Path;

fn main() {
    let Some(world) = World::enter() else { return };
    let dirs: Vec<String> = std::env::args().skip(1).collect();
    let floor = Agent::floor(&world.launch("floor"));
    next(&world, &dirs, vec![("floor".to_owned(), floor)]);
}

/// Every build has a mount namespace of its own, in which its master is at the usual place.
fn next(world: &World, dirs: &[String], mut agents: Vec<(String, Agent)>) {
    let Some((dir, rest)) = dirs.split_first() else {
        return measure(agents);
    };
    world.in_branch(|| {
        let _master = Master::start_from(Path::new(dir));
        let number = agents.len();
        let launch = world.launch(&format!("data{number}"));
        agents.push((dir.clone(), Agent::of_build(Path::new(dir), &launch)));
        next(world, rest, agents);
    });
}

fn measure(mut agents: Vec<(String, Agent)>) {
    const ROUNDS: usize = 400;
    let mut all: Vec<Samples> = vec![Samples::default(); agents.len()];
    for round in 0..ROUNDS {
        for turn in 0..agents.len() {
            let index = (turn + round) % agents.len();
            all[index].0.push(agents[index].1.one(Letter::Pause));
        }
    }
    let base = (
        all[0].median(|times| times.start),
        all[0].quartile(|times| times.start),
    );
    for ((name, _), samples) in agents.iter().zip(&all) {
        let median = samples.median(|times| times.start);
        let quartile = samples.quartile(|times| times.start);
        let gone = samples.median(|times| times.gone);
        println!(
            "{name}: App starts {median:.0} us ({:.3}x), quartile {quartile:.0} ({:.3}x); killed to gone {gone:.0}",
            median / base.0,
            quartile / base.1
        );
    }
}
