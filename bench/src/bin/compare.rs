//! Two builds of Rocker in turns, with the floor: what has a change gained?
//!
//! `compare [OPTION...] DIR DIR...`, where each directory holds a rocker-master and, if the client has changed too, the
//! `compare` built with it. Prints the median, the lower quartile and the lowest twentieth of a launch, by itself and
//! against the floor's: of a squashfs package, mounted anew each time, with three overlays on disk. Of ours alone,
//! `--repeated` leaves the package mounted, `--tmpfs` has the upper layers in memory, `--volatile` keeps no promise of
//! theirs, `--no-overlays` has none, and `--program` executes one. `--launches=N` is how many each side has, else 600.

use bench::{Agent, Launch, Letter, Master, Samples, Way, World};
use rocker_client::{Data, DataMode};
use std::path::Path;

fn main() {
    let Some(world) = World::enter() else { return };
    let (options, dirs): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let floor = Agent::floor(&world.launch("floor"));
    next(&world, &options, &dirs, vec![("floor".to_owned(), floor)]);
}

fn ours(launch: Launch, options: &[String]) -> Launch {
    options
        .iter()
        .fold(launch, |launch, option| match option.as_str() {
            "--repeated" => launch,
            "--tmpfs" => launch.with(|it| it.data.mode = DataMode::TMPFS),
            "--volatile" => launch.with(|it| it.data.mode = DataMode::VOLATILE),
            "--no-overlays" => launch.with(|it| {
                it.overlays.clear();
                it.data.flags = Data::NO_OVERLAYS;
            }),
            "--program" => launch.with(|it| it.way = Way::Program),
            _ if option.starts_with(LAUNCHES) => launch,
            _ => panic!("{option}: no such option"),
        })
}

/// Every build has a mount namespace of its own, in which its master is at the usual place.
fn next(world: &World, options: &[String], dirs: &[String], mut agents: Vec<(String, Agent)>) {
    let Some((dir, rest)) = dirs.split_first() else {
        return measure(agents, launches(options));
    };
    world.in_branch(|| {
        let keeps_packages = options.iter().any(|option| option == "--repeated");
        let _master = Master::start_from(Path::new(dir), keeps_packages);
        let number = agents.len();
        let launch = ours(world.launch(&format!("data{number}")), options);
        agents.push((dir.clone(), Agent::of_build(Path::new(dir), &launch)));
        next(world, options, rest, agents);
    });
}

const LAUNCHES: &str = "--launches=";

fn launches(options: &[String]) -> usize {
    let mut numbers = options.iter().filter_map(|it| it.strip_prefix(LAUNCHES));
    numbers
        .next()
        .map_or(600, |it| it.parse().expect("a number"))
}

fn measure(mut agents: Vec<(String, Agent)>, rounds: usize) {
    let mut all: Vec<Samples> = vec![Samples::default(); agents.len()];
    for round in 0..rounds {
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
    println!("{rounds} launches of each in turns");
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
