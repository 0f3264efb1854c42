//! How long whole commands take, all in turns.

use bench::peers::{Kind, PEERS, Site, Whole};
use bench::{Agent, Launch, Letter, Way, World, median};

/// One round of one contestant: microseconds, or why it cannot run.
type Run = Box<dyn FnMut() -> Result<f64, String>>;

/// A row of the table.
struct Contestant {
    name: String,
    remark: &'static str,
    is_slow: bool,
    /// With equal work, and plain.
    runs: [Option<Run>; 2],
    taken: [Vec<f64>; 2],
    failure: Option<String>,
}

impl Contestant {
    fn new(name: &str, run: impl FnMut() -> Result<f64, String> + 'static) -> Self {
        Self {
            name: name.to_owned(),
            remark: "",
            is_slow: false,
            runs: [Some(Box::new(run)), None],
            taken: [Vec::new(), Vec::new()],
            failure: None,
        }
    }

    fn run(&mut self) {
        for (run, taken) in self.runs.iter_mut().zip(&mut self.taken) {
            let Some(started) = run else { continue };
            match started() {
                Ok(time) => taken.push(time),
                Err(reason) => {
                    self.failure = Some(reason);
                    *run = None;
                }
            }
        }
    }

    fn median(&self, kind: usize) -> Option<f64> {
        (!self.taken[kind].is_empty()).then(|| median(self.taken[kind].clone()))
    }
}

pub(crate) fn measure(world: &World, site: &Site, rounds: usize) {
    let mut all = ours(world);
    all.extend(PEERS.iter().map(|peer| peer_of(world, site, peer)));
    for round in 0..rounds {
        let count = all.len();
        for turn in 0..count {
            let contestant = &mut all[(turn + round) % count];
            if !contestant.is_slow || round % 3 == 0 {
                contestant.run();
            }
        }
    }
    print(&all);
}

const FLOOR: &str = "floor program";
const FIRST: &str = "rocker run, first use";
const REPEATED: &str = "rocker run, repeated";

/// The format that rocker-pack makes unless told otherwise.
fn launch(world: &World, name: &str) -> Launch {
    let launch = world.launch(name);
    launch.with(|launch| launch.package = world.packages.squashfs("zstd"))
}

/// The same for Rocker, which keeps its package mounted.
fn own_launch(world: &World, is_first_use: bool, way: Way) -> Launch {
    world.launch("data").with(|launch| {
        launch.package = world.packages.own("zstd");
        launch.is_first_use = is_first_use;
        launch.way = way;
    })
}

/// The floor, and the ways into Rocker.
fn ours(world: &World) -> Vec<Contestant> {
    let mut floor = Whole::of_floor(&launch(world, "floor"));
    let command = |is_first_use| {
        let mut whole = Whole::of_rocker(&own_launch(world, is_first_use, Way::Program), &["true"]);
        repeated(is_first_use, move || whole.time())
    };
    let from_c = |is_first_use, way| {
        let mut agent = Agent::ours(&own_launch(world, is_first_use, way));
        repeated(is_first_use, move || {
            let times = agent.one(Letter::Execute);
            Ok(times.done + times.gone)
        })
    };
    vec![
        Contestant::new(FLOOR, move || floor.time()),
        Contestant::new(FIRST, command(true)),
        Contestant::new(REPEATED, command(false)),
        Contestant::new("from C, path launch, first use", from_c(true, Way::Program)),
        Contestant::new("from C, path launch, repeated", from_c(false, Way::Program)),
        Contestant::new("from C, callback, first use", from_c(true, Way::Callback)),
        Contestant::new("from C, callback, repeated", from_c(false, Way::Callback)),
    ]
}

/// What is to find its package mounted runs once more before, for those of the first use let go of it.
fn repeated(
    is_first_use: bool,
    mut run: impl FnMut() -> Result<f64, String> + 'static,
) -> impl FnMut() -> Result<f64, String> + 'static {
    move || {
        if !is_first_use {
            run()?;
        }
        run()
    }
}

fn peer_of(world: &World, site: &Site, peer: &bench::peers::Peer) -> Contestant {
    let runs = match peer.missing() {
        Some(_) => [None, None],
        None => [Kind::Equal, Kind::Plain].map(|kind| {
            let launch = launch(world, "peer");
            let mut whole = Whole::of_peer(peer, site, &launch, kind, &["true"]);
            let run: Run = Box::new(move || whole.time());
            Some(run)
        }),
    };
    let missing = peer
        .missing()
        .map(|program| format!("not installed: no {program}"));
    Contestant {
        name: peer.name.to_owned(),
        remark: peer.remark,
        is_slow: peer.is_slow,
        runs,
        taken: [Vec::new(), Vec::new()],
        failure: missing,
    }
}

fn print(all: &[Contestant]) {
    let of = |name: &str| {
        let mut found = all.iter().filter(|contestant| contestant.name == name);
        let median = found.next().and_then(|contestant| contestant.median(0));
        median.unwrap_or(f64::NAN)
    };
    let [floor, first, repeated] = [FLOOR, FIRST, REPEATED].map(of);
    println!(
        "| one whole command | equal work | to the floor | {FIRST}, to it | {REPEATED}, to it | plain | |\n\
        |---|---|---|---|---|---|---|"
    );
    let text = |value: Option<f64>, unit: &str| {
        value.map_or(String::new(), |value| format!("{value:.2} {unit}"))
    };
    for contestant in all {
        let [equal, plain] = [0, 1].map(|kind| contestant.median(kind));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            contestant.name,
            text(equal.map(|time| time / 1000.0), "ms"),
            text(equal.map(|time| time / floor), "x"),
            text(equal.map(|time| first / time), "x"),
            text(equal.map(|time| repeated / time), "x"),
            text(plain.map(|time| time / 1000.0), "ms"),
            contestant.failure.as_deref().unwrap_or(contestant.remark),
        );
    }
    println!();
}
