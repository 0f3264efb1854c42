//! Launches in turns with the floor.

use crate::table::Table;
use bench::{Agent, Launch, Letter, Samples, Times, Way, World, in_turns};
use rocker_client::Data;
use std::path::PathBuf;
use std::time::Duration;

/// First instruction, for every kind of launch that there is; and the whole life of an App.
pub(crate) fn measure(table: &mut Table, world: &World, rounds: usize) {
    let mut floor = Agent::floor(&world.launch("floor"));
    let mut first = Agent::ours(&first_use(world, "data"));
    let mut again = Agent::ours(&world.launch("data-again"));
    measure_first_uses(table, world, [&mut floor, &mut first], rounds);
    measure_repeated(table, world, [&mut floor, &mut again], rounds);
    for (name, budget, agent) in [
        ("first use", f64::NAN, &mut first),
        ("repeated launch", 0.30, &mut again),
    ] {
        measure_done(table, name, budget, [&mut floor, agent], rounds);
        measure_apart(table, name, [&mut floor, agent], rounds / 7);
    }
}

fn first_use(world: &World, name: &str) -> Launch {
    world.launch(name).with(|launch| launch.is_first_use = true)
}

fn measure_first_uses(
    table: &mut Table,
    world: &World,
    [floor, gzip]: [&mut Agent; 2],
    rounds: usize,
) {
    let of = |name: &str, package: PathBuf| {
        Agent::ours(&first_use(world, name).with(|launch| launch.package = package))
    };
    let erofs = world.packages.erofs();
    let has_erofs = erofs.is_some();
    let instead = erofs.unwrap_or_else(|| world.packages.squashfs("zstd"));
    let mut erofs = of("data-erofs", instead);
    let mut zstd = of("data-zstd", world.packages.squashfs("zstd"));
    let mut lz4 = of("data-lz4", world.packages.squashfs("lz4"));
    let agents = [floor, gzip, &mut erofs, &mut zstd, &mut lz4];
    let starts = in_turns(agents, Letter::Pause, rounds, || {}).map(|samples| start(&samples));
    let [base, gzip, erofs, zstd, lz4] = starts;
    table.report("floor, App starts", &format!("{base:.0} us"));
    let what = "first use of a package, squashfs gzip, against the floor";
    table.at_most(what, gzip / base, 1.15, "x");
    table.report("  the same, zstd 64K", &format!("{:.2}x", zstd / base));
    table.report("  the same, lz4 64K", &format!("{:.2}x", lz4 / base));
    if has_erofs {
        table.at_most("the same, erofs", erofs / base, 0.75, "x");
    } else {
        table.report("the same, erofs (<= 0.75x)", "no mkfs.erofs");
    }
}

/// Launches of a package that is mounted, with layers of each kind.
fn measure_repeated(
    table: &mut Table,
    world: &World,
    [floor, on_ext4]: [&mut Agent; 2],
    rounds: usize,
) {
    let of = |name: &str, change: &dyn Fn(&mut Launch)| {
        Agent::ours(&world.launch(name).with(|launch| change(launch)))
    };
    let mut on_tmpfs = of("data-tmpfs", &|launch| launch.data_dir = "/run/data".into());
    let mut without = of("data-none", &|launch| {
        launch.overlays.clear();
        launch.data.flags = Data::NO_OVERLAYS;
    });
    let agents = [floor, on_ext4, &mut on_tmpfs, &mut without];
    let starts = in_turns(agents, Letter::Pause, rounds, || {}).map(|samples| start(&samples));
    let [base, ext4, tmpfs, none] = starts;
    for (what, value, budget) in [
        ("package in use, uppers on ext4", ext4, 0.65),
        (
            "package in use, uppers on tmpfs (a data directory there)",
            tmpfs,
            0.45,
        ),
        ("package in use, no overlays", none, 0.25),
    ] {
        table.at_most(what, value / base, budget, "x");
    }
}

fn start(samples: &Samples) -> f64 {
    samples.median(|times| times.start)
}

/// A budget that is no number is none.
fn measure_done(
    table: &mut Table,
    name: &str,
    budget: f64,
    agents: [&mut Agent; 2],
    rounds: usize,
) {
    let samples = in_turns(agents, Letter::Execute, rounds, || {});
    let [base, ours] = samples.map(|samples| samples.median(|times| times.done));
    let what = format!("App done, {name} (floor {base:.0} us)");
    if budget.is_nan() {
        table.report(&what, &format!("{:.2}x", ours / base));
    } else {
        table.at_most(&what, ours / base, budget, "x");
    }
}

/// Launches apart find cold caches, and processors that sleep.
fn measure_apart(table: &mut Table, name: &str, agents: [&mut Agent; 2], rounds: usize) {
    let gap = || std::thread::sleep(Duration::from_millis(200));
    let [base, ours] = in_turns(agents, Letter::Pause, rounds, gap).map(|samples| start(&samples));
    let value = format!("{:.2}x (floor {base:.0} us)", ours / base);
    table.report(&format!("  {name}, launches 200 ms apart"), &value);
}

/// What a large AppMaster costs.
pub(crate) fn measure_app_masters(table: &mut Table, world: &World, rounds: usize) {
    let agent = |ballast, way| {
        Agent::ours(&world.launch("data").with(|launch| {
            launch.ballast = ballast;
            launch.way = way;
        }))
    };
    let [mut small, mut large] = [1, 200].map(|ballast| agent(ballast, Way::Program));
    let mut callback = agent(200, Way::Callback);
    let mut base = agent(1, Way::Callback);
    let agents = [&mut small, &mut large, &mut callback, &mut base];
    let samples = in_turns(agents, Letter::Execute, rounds, || {});
    let [small, large, callback, base] = samples.map(|samples| samples.median(|times| times.start));
    let what = "path launch by an AppMaster of 200 MB against 1 MB";
    table.at_most(what, large / small, 1.1, "x");
    let value = format!("{:.2}x", callback / base);
    table.report("  the same, callback", &value);
}

/// Guard killed to everything gone, on a clean disk and on one that has much to write.
pub(crate) fn measure_teardown(table: &mut Table, world: &World, rounds: usize) {
    let mut floor = Agent::floor(&world.launch("floor"));
    let mut ours = Agent::ours(&world.launch("data"));
    let pick = |of: fn(&Times) -> f64| move |samples: Samples| samples.median(of);
    let gone = pick(|times| times.gone);
    let agents = [&mut floor, &mut ours];
    let [base, mine] = in_turns(agents, Letter::Pause, rounds, || {}).map(gone);
    table.report("floor, killed to gone", &format!("{base:.0} us"));
    table.at_most("guard killed to everything gone", mine / base, 1.2, "x");
    let file = world.disk().join("dirty");
    let bytes = vec![7; 64 << 20];
    let dirty = || std::fs::write(&file, &bytes).expect("64 MB of disk");
    let agents = [&mut floor, &mut ours];
    let samples = in_turns(agents, Letter::Pause, rounds / 13, dirty);
    std::fs::remove_file(&file).expect("written just now");
    let [base, mine] = samples.clone().map(gone);
    let value = format!("{:.2}x (floor {base:.0} us)", mine / base);
    table.report("  the same with 64 MB of foreign dirty pages", &value);
    let [base, mine] = samples.map(pick(|times| times.start));
    let value = format!("{:.2}x (floor {base:.0} us)", mine / base);
    table.report("  App starts, with 64 MB of foreign dirty pages", &value);
}
