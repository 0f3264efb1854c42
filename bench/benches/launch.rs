//! Launches, ours in turns with the floor's: criterion's figure is ours, and the ratio to the floor is printed after it.

use bench::{Agent, Herd, Launch, Letter, Master, Times, Way, World, median};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};
use std::cell::RefCell;
use std::time::Duration;

/// One of the times.
type Figure = fn(&Times) -> f64;

const START: Figure = |times| times.start;
const DONE: Figure = |times| times.done;
const GONE: Figure = |times| times.gone;

/// Two sides that take turns.
struct Pair {
    base: Agent,
    subject: Agent,
    letter: Letter,
    figure: Figure,
    taken: [Vec<f64>; 2],
}

impl Pair {
    fn new(base: Agent, subject: Agent, letter: Letter, figure: Figure) -> Self {
        Self {
            base,
            subject,
            letter,
            figure,
            taken: [Vec::new(), Vec::new()],
        }
    }

    /// A launch of each; what the subject's took.
    fn turn(&mut self) -> Duration {
        let base = (self.figure)(&self.base.one(self.letter));
        let subject = (self.figure)(&self.subject.one(self.letter));
        self.taken[0].push(base);
        self.taken[1].push(subject);
        Duration::from_secs_f64(subject / 1e6)
    }

    fn print(self, name: &str) {
        let [base, subject] = self.taken.map(median);
        println!(
            "    {name}: median {subject:.0} us, base {base:.0} us, ratio {:.2}",
            subject / base
        );
    }
}

/// Runs a pair that is made only if this bench is asked for.
fn run(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, make: impl FnOnce() -> Pair) {
    let make = RefCell::new(Some(make));
    let mut pair = None;
    group.bench_function(name, |bencher| {
        let pair = pair.get_or_insert_with(|| make.take().expect("made once")());
        bencher.iter_custom(|rounds| (0..rounds).map(|_| pair.turn()).sum());
    });
    if let Some(pair) = pair {
        pair.print(name);
    }
}

/// The same launch by both: App's first instruction.
fn against_floor(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, launch: &Launch) {
    run(group, name, || equal(launch, Letter::Pause, START));
}

fn equal(launch: &Launch, letter: Letter, figure: Figure) -> Pair {
    let data_dir = launch.data_dir.with_extension("floor");
    let floor = Agent::floor(&launch.clone().with(|launch| launch.data_dir = data_dir));
    Pair::new(floor, Agent::ours(launch), letter, figure)
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    group
}

/// What leaving kernel work out gains: variants of the floor against the floor.
fn floor(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "floor");
    let mut variant = |name: &str, change: &dyn Fn(&mut Launch)| {
        run(&mut group, name, || {
            let base = Agent::floor(&world.launch("floor"));
            let launch = world.launch("variant").with(|launch| change(launch));
            Pair::new(base, Agent::floor(&launch), Letter::Pause, START)
        });
    };
    variant("base", &|_| {});
    variant("shared package", &|launch| launch.floor = &["-s"]);
    if let Some(package) = world.packages.erofs() {
        variant("erofs from a file", &|launch| {
            launch.package.clone_from(&package);
            launch.fs_type = "erofs";
        });
    }
    variant("no overlays", &|launch| launch.overlays.clear());
    variant("one overlay", &|launch| launch.overlays.truncate(1));
    variant("uppers on tmpfs", &|launch| {
        launch.data_dir = "/run/variant".into();
    });
    variant("overlays read-only", &|launch| launch.floor = &["-r"]);
    variant("vfork and exec", &|launch| launch.way = Way::Program);
    variant(
        "shared package and user namespace, no overlays, vfork and exec",
        &|launch| {
            launch.overlays.clear();
            launch.floor = &["-s", "-u"];
            launch.way = Way::Program;
        },
    );
}

fn formats(criterion: &mut Criterion, world: &World) {
    let of = |name: &str| {
        world.launch("data").with(|launch| match name {
            "erofs" => {
                launch.fs_type = "erofs";
                launch.package = world.packages.erofs().unwrap_or_default();
            }
            _ => launch.package = world.packages.squashfs(name),
        })
    };
    let mut names = vec!["gzip", "zstd", "lz4"];
    names.extend(world.packages.erofs().map(|_| "erofs"));
    let mut starts = group(criterion, "format, App starts");
    for name in &names {
        against_floor(&mut starts, name, &of(name));
    }
    starts.finish();
    let mut ends = group(criterion, "format, App done");
    ends.sample_size(10);
    for name in names.into_iter().chain(["xz"]) {
        run(&mut ends, name, || equal(&of(name), Letter::Execute, DONE));
    }
}

fn overlays(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "overlays");
    // Not 0: to ask for none is not built, for no list at all stands for every top-level directory.
    for count in [1, 3, 16] {
        let launch = world.launch("data").with(|launch| {
            launch.overlays = world.overlays(count);
        });
        against_floor(&mut group, &format!("{count} on disk"), &launch);
    }
    let launch = world.launch("data").with(|launch| {
        launch.data_dir = "/run/data".into();
    });
    against_floor(&mut group, "3 on tmpfs", &launch);
}

/// The time until the last of eight has started.
fn parallel(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "in parallel");
    let launches = |name: &str| {
        (0..8)
            .map(|number| world.launch(&format!("{name}{number}")))
            .collect::<Vec<_>>()
    };
    let last = |agents: &mut Vec<Agent>| {
        for agent in &mut *agents {
            agent.tell(Letter::Pause);
        }
        let starts = agents.iter_mut().map(|agent| agent.hear().start);
        starts.fold(0.0, f64::max)
    };
    let mut sides = None;
    let mut taken = [Vec::new(), Vec::new()];
    group.bench_function("8", |bencher| {
        let sides = sides.get_or_insert_with(|| {
            [
                launches("floor").iter().map(Agent::floor).collect(),
                launches("data").iter().map(Agent::ours).collect(),
            ]
        });
        bencher.iter_custom(|rounds| {
            let turn = |_| {
                let [base, mine] = sides.each_mut().map(last);
                taken[0].push(base);
                taken[1].push(mine);
                Duration::from_secs_f64(mine / 1e6)
            };
            (0..rounds).map(turn).sum()
        });
    });
    if sides.is_some() {
        let [base, mine] = taken.map(median);
        println!(
            "    8: median {mine:.0} us, base {base:.0} us, ratio {:.2}",
            mine / base
        );
    }
}

fn app_masters(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "AppMaster");
    for (way, name) in [(Way::Callback, "callback"), (Way::Program, "path")] {
        for ballast in [1, 50, 200] {
            let launch = world.launch("data").with(|launch| {
                launch.ballast = ballast;
                launch.way = way;
            });
            against_floor(&mut group, &format!("{name}, {ballast} MB"), &launch);
        }
    }
}

/// Those that live are of the format that needs no loop device: a thousand of those would stay on the machine.
fn live(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "live sandboxes");
    let mut herd = None;
    for count in [0, 100, 1000] {
        run(&mut group, &count.to_string(), || {
            let launch = world.launch("herd").with(|launch| {
                launch.package = world.packages.erofs().unwrap_or(launch.package.clone());
            });
            herd.get_or_insert_with(|| Herd::new(&launch))
                .grow_to(count);
            equal(&world.launch("data"), Letter::Pause, START)
        });
    }
}

fn mounts(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "host mounts");
    against_floor(&mut group, "20", &world.launch("data"));
    world.in_branch(|| {
        world.mount_others(2000);
        let _master = Master::start();
        against_floor(&mut group, "2000", &world.launch("data"));
    });
}

fn teardown(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "teardown");
    let launch = world.launch("data");
    run(&mut group, "guard killed to everything gone", || {
        equal(&launch, Letter::Pause, GONE)
    });
}

fn main() {
    let Some(world) = World::enter() else { return };
    let _master = Master::start();
    let mut criterion = Criterion::default().configure_from_args();
    for bench in [
        floor,
        formats,
        overlays,
        parallel,
        app_masters,
        mounts,
        teardown,
        live,
    ] {
        bench(&mut criterion, &world);
    }
    criterion.final_summary();
}
