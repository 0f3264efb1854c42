//! What else is on the machine: mounts of the host, and live sandboxes.

use crate::pair::{Pair, START, against_floor, group, run};
use bench::{Herd, Letter, Master, World};
use criterion::Criterion;

/// Those that live are of the format that needs no loop device: a thousand of those would stay on the machine.
pub(crate) fn live(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "live sandboxes");
    let mut herd = None;
    for count in [0, 100, 1000] {
        run(&mut group, &count.to_string(), || {
            let launch = world.launch("herd").with(|launch| {
                launch.package = world.packages.erofs().unwrap_or(launch.package.clone());
            });
            herd.get_or_insert_with(|| Herd::new(&launch))
                .grow_to(count);
            Pair::equal(&world.launch("data"), Letter::Pause, START)
        });
    }
}

/// A master in a mount namespace of its own has the mounts that are there when it starts.
pub(crate) fn mounts(criterion: &mut Criterion, world: &World) {
    let mut group = group(criterion, "host mounts");
    against_floor(&mut group, "20", &world.launch("data"));
    world.in_branch(|| {
        world.mount_others(2000);
        let _master = Master::start_with_cache();
        against_floor(&mut group, "2000", &world.launch("data"));
    });
}
