//! What else is on the machine: mounts of the host, and live sandboxes.

use crate::table::Table;
use bench::{Agent, Herd, Letter, Master, Samples, World, in_turns};

fn start(samples: &Samples) -> f64 {
    samples.median(|times| times.start)
}

/// Two masters in two mount namespaces take turns: one with few mounts, one with many.
pub(crate) fn measure_mounts(table: &mut Table, world: &World, rounds: usize) {
    let mut few = Agent::ours(&world.launch("data"));
    world.in_branch(|| {
        world.mount_others(2000);
        let _master = Master::start_with_cache();
        let mut many = Agent::ours(&world.launch("data-mounts"));
        let agents = [&mut few, &mut many];
        let [few, many] = in_turns(agents, Letter::Pause, rounds, || {}).map(|s| start(&s));
        let what = "2,000 host mounts against 20: next launch";
        table.at_most(what, many / few, 1.3, "x");
    });
}

/// Sandboxes that live are of the format that needs no loop device, if there is one: a thousand of those would stay.
pub(crate) fn measure_live(table: &mut Table, world: &World, rounds: usize) {
    let mut floor = Agent::floor(&world.launch("floor"));
    let mut ours = Agent::ours(&world.launch("data"));
    let mut measure = || {
        let agents = [&mut floor, &mut ours];
        in_turns(agents, Letter::Pause, rounds, || {}).map(|s| start(&s))
    };
    let mut herd = Herd::new(&world.launch("herd").with(|launch| {
        if let Some(package) = world.packages.erofs() {
            launch.package = package;
        }
    }));
    herd.grow_to(1);
    let [base_before, before] = measure();
    herd.grow_to(1000);
    let [base_after, after] = measure();
    let what = "1,000 live sandboxes against 1: next launch";
    table.at_most(what, after / before, 1.3, "x");
    let value = format!("{:.2}x", base_after / base_before);
    table.report("  the same, the floor", &value);
}
