//! Launches, ours in turns with the floor's: criterion's figure is ours, and the ratio to the floor is printed after it.

mod exec;
mod floor;
mod pair;
mod surroundings;

use bench::{Agent, Launch, Letter, Master, Way, World};
use criterion::Criterion;
use pair::{DONE, GONE, Pair, START, against_floor, beside, group, run};
use rocker_client::Data;

/// Both ways into a sandbox, a function of the AppMaster's and a program, when the package is mounted for this launch and
/// when it is mounted already.
fn ways(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "launch");
    for (is_first_use, use_name) in [(true, "first use"), (false, "repeated")] {
        for (way, name) in [(Way::Callback, "callback"), (Way::Program, "argv")] {
            let launch = world.launch("data").with(|launch| {
                launch.way = way;
                launch.is_first_use = is_first_use;
            });
            run(
                &mut group,
                &format!("{name}, {use_name}, App starts"),
                || Pair::equal(&launch, Letter::Pause, START),
            );
            run(&mut group, &format!("{name}, {use_name}, App done"), || {
                Pair::equal(&launch, Letter::Execute, DONE)
            });
        }
    }
}

/// First uses: the floor mounts the same format.
fn formats(criterion: &mut Criterion, world: &World) {
    let of = |name: &str| {
        world.launch("data").with(|launch| {
            launch.is_first_use = true;
            match name {
                "erofs" => {
                    launch.fs_type = "erofs";
                    launch.package = world.packages.erofs().unwrap_or_default();
                }
                _ => launch.package = world.packages.squashfs(name),
            }
        })
    };
    let mut names = vec!["gzip", "lzo", "lz4", "xz", "zstd", "none"];
    names.extend(world.packages.erofs().map(|_| "erofs"));
    let mut starts = group(criterion, "format, App starts");
    for name in &names {
        run(&mut starts, name, || {
            Pair::equal(&of(name), Letter::Pause, START)
        });
    }
    starts.finish();
    let mut ends = group(criterion, "format, App done");
    ends.sample_size(10);
    for name in names {
        run(&mut ends, name, || {
            Pair::equal(&of(name), Letter::Execute, DONE)
        });
    }
}

/// Repeated launches against the floor with as many overlays of the same kind, but for its package.
fn overlays(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "overlays");
    for count in [0, 1, 3, 16] {
        let launch = world.launch("data").with(|launch| {
            launch.overlays = world.overlays(count);
            if count == 0 {
                launch.data.flags = Data::NO_OVERLAYS;
            }
        });
        against_floor(&mut group, &format!("{count} on disk"), &launch);
    }
    let launch = world.launch("data").with(|launch| {
        launch.data_dir = "/run/data".into();
    });
    against_floor(&mut group, "3 on tmpfs", &launch);
}

/// The time until the last of them has started.
fn parallel(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "in parallel");
    for count in [1, 8] {
        run(&mut group, &count.to_string(), || {
            let numbers = 0..count;
            let launches = numbers.map(|number| world.launch(&format!("data{number}")));
            let launches: Vec<Launch> = launches.collect();
            let floor = launches.iter().map(|launch| Agent::floor(&beside(launch)));
            let ours = launches.iter().map(Agent::ours);
            Pair::of_many(floor.collect(), ours.collect(), Letter::Pause, START)
        });
    }
}

fn app_masters(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "AppMaster");
    for (way, name) in [(Way::Callback, "callback"), (Way::Program, "argv")] {
        for ballast in [1, 50, 200] {
            let launch = world.launch("data").with(|launch| {
                launch.ballast = ballast;
                launch.way = way;
            });
            against_floor(&mut group, &format!("{name}, {ballast} MB"), &launch);
        }
    }
}

fn teardown(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "teardown");
    let launch = world.launch("data");
    run(&mut group, "guard killed to everything gone", || {
        Pair::equal(&launch, Letter::Pause, GONE)
    });
}

fn main() {
    let Some(world) = World::enter() else { return };
    let _master = Master::start_with_cache();
    let mut criterion = Criterion::default().configure_from_args();
    for bench in [
        floor::floor,
        ways,
        formats,
        overlays,
        parallel,
        app_masters,
        teardown,
        exec::exec,
        surroundings::mounts,
        surroundings::live,
    ] {
        bench(&mut criterion, &world);
    }
    criterion.final_summary();
}
