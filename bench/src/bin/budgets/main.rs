//! The budgets, measured in one run: what must hold, what is, and whether it is reached.
//!
//! `budgets` prints everything; `budgets --quick` takes a tenth of the samples. The exit status says nothing about budgets:
//! a table is for people, and times on a shared machine are no verdict.

mod latency;
mod memory;
mod others;
mod size;
mod table;
mod whole;

use bench::{Master, World};
use table::Table;

fn main() {
    let Some(world) = World::enter() else { return };
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 20 } else { 200 };
    let mut table = Table::default();
    size::measure(&mut table);
    let master = Master::start();
    memory::measure_idle(&mut table, &world, &master);
    latency::measure(&mut table, &world, rounds);
    latency::measure_app_masters(&mut table, &world, rounds);
    whole::measure(&mut table, &world, rounds / 4);
    latency::measure_teardown(&mut table, &world, rounds);
    others::measure_mounts(&mut table, &world, rounds);
    others::measure_live(&mut table, &world, rounds / 2);
    memory::measure_kernel(&mut table, &world);
    table.not_built("App inside against outside, steady state (>= 0.97)");
    table.not_built("disk: 50 to 100 MB tree (>= 65 % saved, cold read >= ext4)");
    table.print();
}
