//! Two builds of Rocker in turns, with the floor: what has a change gained?
//!
//! `compare DIR DIR...`, where each directory holds a rocker-master and, if the client has changed too, the `compare` built
//! with it. Prints the median, the lower quartile and the lowest twentieth of a launch with three overlays of a squashfs
//! package.

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
    const ROUNDS: usize = 600;
    let mut all: Vec<Samples> = vec![Samples::default(); agents.len()];
    for round in 0..ROUNDS {
        for turn in 0..agents.len() {
            let index = (turn + round) % agents.len();
            all[index].0.push(agents[index].1.one(Letter::Pause));
        }
    }
    type Of = fn(&Samples) -> f64;
    let figures: [Of; 3] = [
        |samples| samples.median(|times| times.start),
        |samples| samples.quartile(|times| times.start),
        |samples| samples.twentieth(|times| times.start),
    ];
    for ((name, _), samples) in agents.iter().zip(&all) {
        let [median, quartile, twentieth] = figures.map(|figure| {
            let value = figure(samples);
            format!("{value:.0} us ({:.3}x)", value / figure(&all[0]))
        });
        let gone = samples.median(|times| times.gone);
        println!(
            "{name}: App starts, median {median}, quartile {quartile}, twentieth {twentieth}; killed to gone {gone:.0} us"
        );
    }
}
