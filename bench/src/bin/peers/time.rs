//! How long whole commands take, all in turns.

use bench::peers::{Kind, PEERS, Site, Whole};
use bench::{Agent, Launch, Letter, Master, Way, World, median};

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

pub(crate) fn measure(world: &World, site: &Site, master: &Master, rounds: usize) {
    let mut all = ours(world, master);
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

/// The format that rocker-pack makes unless told otherwise.
fn launch(world: &World, name: &str) -> Launch {
    let launch = world.launch(name);
    launch.with(|launch| launch.package = world.packages.squashfs("zstd"))
}

const FLOOR: &str = "floor program";
const FIRST: &str = "rocker run, first use";

/// The floor, and the ways into Rocker.
fn ours(world: &World, _master: &Master) -> Vec<Contestant> {
    let mut floor = Whole::of_floor(&launch(world, "floor"));
    let mut first = Whole::of_rocker(&launch(world, "data"), &["true"]);
    let agent = |name: &str, way| {
        let mut agent = Agent::ours(&launch(world, name).with(|launch| launch.way = way));
        move || {
            let times = agent.one(Letter::Execute);
            Ok(times.done + times.gone)
        }
    };
    vec![
        Contestant::new(FLOOR, move || floor.time()),
        Contestant::new(FIRST, move || first.time()),
        Contestant::new(
            "from C, path launch, first use",
            agent("path", Way::Program),
        ),
        Contestant::new(
            "from C, callback, first use",
            agent("callback", Way::Callback),
        ),
    ]
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
        found.next().and_then(|contestant| contestant.median(0))
    };
    let [floor, first] = [of(FLOOR), of(FIRST)].map(|time| time.unwrap_or(f64::NAN));
    println!(
        "| one whole command | equal work | to the floor | rocker run, first use, to it | plain | |"
    );
    println!("|---|---|---|---|---|---|");
    for contestant in all {
        let [equal, plain] = [0, 1].map(|kind| contestant.median(kind));
        let ms =
            |time: Option<f64>| time.map_or(String::new(), |us| format!("{:.2} ms", us / 1000.0));
        let ratio =
            |value: Option<f64>| value.map_or(String::new(), |ratio| format!("{ratio:.2}x"));
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            contestant.name,
            ms(equal),
            ratio(equal.map(|time| time / floor)),
            ratio(equal.map(|time| first / time)),
            ms(plain),
            contestant.failure.as_deref().unwrap_or(contestant.remark),
        );
    }
    println!();
}
