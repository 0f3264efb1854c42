//! What leaving kernel work out gains: variants of the floor against the floor.

use crate::pair::{DONE, Figure, GONE, Pair, START, group, run};
use bench::{Agent, Launch, Letter, Way, World};
use criterion::Criterion;
use std::time::Duration;

/// A change of the floor's base.
type Change = fn(&World, &mut Launch);

const VARIANTS: &[(&str, Change)] = &[
    ("base", |_, _| {}),
    ("shared package", |_, launch| options(launch, &["-s"])),
    (EROFS, |world, launch| {
        launch.package = world.packages.erofs().unwrap_or_default();
        launch.fs_type = "erofs";
    }),
    ("squashfs lz4 128K", |world, launch| {
        launch.package = world.packages.squashfs("lz4 128K");
    }),
    ("squashfs zstd 1M", |world, launch| {
        launch.package = world.packages.squashfs("zstd 1M");
    }),
    ("squashfs xz 128K", |world, launch| {
        launch.package = world.packages.squashfs("xz");
    }),
    ("no overlays", |_, launch| launch.overlays.clear()),
    ("one overlay", |_, launch| launch.overlays.truncate(1)),
    ("uppers on tmpfs", |_, launch| {
        launch.data_dir = "/run/variant".into();
    }),
    ("overlays read-only", |_, launch| options(launch, &["-r"])),
    ("fork by 1 MB", |_, launch| launch.ballast = 1),
    ("fork by 50 MB", |_, launch| launch.ballast = 50),
    ("fork by 200 MB", |_, launch| launch.ballast = 200),
    ("vfork and exec by 1 MB", |_, launch| executed_by(launch, 1)),
    ("vfork and exec by 200 MB", |_, launch| {
        executed_by(launch, 200);
    }),
    (
        "shared package, uppers on tmpfs, vfork and exec",
        |_, launch| {
            launch.data_dir = "/run/variant".into();
            options(launch, &["-s"]);
            launch.way = Way::Program;
        },
    ),
    (
        "shared package and user namespace, no overlays, vfork and exec",
        |_, launch| {
            launch.overlays.clear();
            options(launch, &["-s", "-u"]);
            launch.way = Way::Program;
        },
    ),
];

/// Left out where there is no `mkfs.erofs`.
const EROFS: &str = "erofs from a file";

fn options(launch: &mut Launch, options: &[&str]) {
    launch.floor.extend(options.iter().map(ToString::to_string));
}

fn executed_by(launch: &mut Launch, ballast: u32) {
    launch.ballast = ballast;
    launch.way = Way::Program;
}

/// Until the App starts, until it is done, and from the guard's end until everything has gone.
pub(crate) fn floor(criterion: &mut Criterion, world: &World) {
    measure(criterion, world, "floor, App starts", Letter::Pause, START);
    measure(criterion, world, "floor, App done", Letter::Execute, DONE);
    measure(
        criterion,
        world,
        "floor, killed to gone",
        Letter::Pause,
        GONE,
    );
    cgroups(criterion, world);
}

fn measure(criterion: &mut Criterion, world: &World, name: &str, letter: Letter, figure: Figure) {
    let mut group = group(criterion, name);
    let has_erofs = world.packages.erofs().is_some();
    // Who has just executed a program of a cold package is killed in the middle of its first page fault.
    let faults = |name: &str| letter == Letter::Pause && name.starts_with("vfork");
    for (name, change) in VARIANTS {
        if (*name != EROFS || has_erofs) && !faults(name) {
            run(&mut group, name, || {
                let [base, variant] = sides(world, |launch| change(world, launch));
                Pair::new(base, variant, letter, figure)
            });
        }
    }
}

/// The base, and a variant of it.
fn sides(world: &World, change: impl FnOnce(&mut Launch)) -> [Agent; 2] {
    [
        Agent::floor(&world.launch("floor")),
        Agent::floor(&world.launch("variant").with(change)),
    ]
}

/// Born in a cgroup, and moved to one. The move waits only if no other has been made a moment ago, hence the gap.
fn cgroups(criterion: &mut Criterion, world: &World) {
    let Some(dir) = &world.cgroup else {
        println!("SKIP floor, cgroup: no cgroup of version 2 is mounted here");
        return;
    };
    let mut group = group(criterion, "floor, cgroup");
    group.sample_size(10);
    for (name, option) in [("CLONE_INTO_CGROUP", None), ("cgroup.procs", Some("-m"))] {
        run(&mut group, name, || {
            let [base, variant] = sides(world, |launch| {
                options(launch, &["-g", &dir.display().to_string()]);
                options(launch, option.as_slice());
            });
            let pair = Pair::new(base, variant, Letter::Pause, START);
            pair.apart(Duration::from_millis(200))
        });
    }
}
