//! Launches in turns with the floor.

use crate::table::Table;
use bench::{Agent, Launch, Letter, Samples, Times, Way, World, in_turns};
use std::time::Duration;

/// First instruction, for every kind of launch that there is.
pub(crate) fn measure(table: &mut Table, world: &World, rounds: usize) {
    let ours = |name: &str, change: &dyn Fn(&mut Launch)| {
        Agent::ours(&world.launch(name).with(|launch| change(launch)))
    };
    let erofs = world.packages.erofs();
    let mut floor = Agent::floor(&world.launch("floor"));
    let mut first = ours("data", &|_| {});
    let mut on_erofs = ours("data-erofs", &|launch| {
        if let Some(package) = &erofs {
            launch.package.clone_from(package);
        }
    });
    let mut on_tmpfs = ours("data-tmpfs", &|launch| launch.data_dir = "/run/data".into());
    let mut zstd = ours("data-zstd", &|launch| {
        launch.package = world.packages.squashfs("zstd");
    });
    let mut lz4 = ours("data-lz4", &|launch| {
        launch.package = world.packages.squashfs("lz4");
    });
    let agents = [
        &mut floor,
        &mut first,
        &mut on_erofs,
        &mut on_tmpfs,
        &mut zstd,
        &mut lz4,
    ];
    let starts = in_turns(agents, Letter::Pause, rounds, || {});
    put_starts(table, &starts, erofs.is_some());
    measure_done(table, [&mut floor, &mut first], rounds);
    measure_apart(table, [&mut floor, &mut first], rounds / 7);
}

/// The rows of [`measure`], in the order of its agents.
fn put_starts(table: &mut Table, samples: &[Samples; 6], has_erofs: bool) {
    let [base, first_use, erofs, tmpfs, zstd, lz4] = samples
        .each_ref()
        .map(|samples| samples.median(|times| times.start));
    table.report("floor, App starts", &format!("{base:.0} us"));
    let what = "first use of a package, squashfs gzip, against the floor";
    table.at_most(what, first_use / base, 1.15, "x");
    table.report("  the same, zstd 64K", &format!("{:.2}x", zstd / base));
    table.report("  the same, lz4 64K", &format!("{:.2}x", lz4 / base));
    if has_erofs {
        table.at_most("the same, erofs", erofs / base, 0.75, "x");
    } else {
        table.report("the same, erofs (<= 0.75x)", "no mkfs.erofs");
    }
    let missing = "not built: shared package mounts";
    let ext4 = "package in use, uppers on ext4";
    table.at_most_later(ext4, first_use / base, 0.65, missing);
    let on = "package in use, uppers on tmpfs (a data directory there)";
    table.at_most_later(on, tmpfs / base, 0.45, missing);
    table.not_built("package in use, no overlays (<= 0.25x)");
}

fn measure_done(table: &mut Table, agents: [&mut Agent; 2], rounds: usize) {
    let [base, ours] = in_turns(agents, Letter::Execute, rounds, || {});
    let done = |samples: &Samples| samples.median(|times| times.done);
    let ratio = done(&ours) / done(&base);
    table.report("floor, App done", &format!("{:.0} us", done(&base)));
    table.report("App done, first use", &format!("{ratio:.2}x"));
    let missing = "not built: shared package mounts";
    table.at_most_later("App done, repeated launch", ratio, 0.30, missing);
}

/// Launches apart find cold caches, and processors that sleep.
fn measure_apart(table: &mut Table, agents: [&mut Agent; 2], rounds: usize) {
    let gap = || std::thread::sleep(Duration::from_millis(200));
    let [base, ours] = in_turns(agents, Letter::Pause, rounds, gap);
    let start = |samples: &Samples| samples.median(|times| times.start);
    let (base, ours) = (start(&base), start(&ours));
    let value = format!("{:.2}x (floor {base:.0} us)", ours / base);
    table.report("first use, launches 200 ms apart", &value);
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
