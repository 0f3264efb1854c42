//! Real Apps, inside a sandbox and outside: what do they lose, and what do they cost?
//!
//! `apps` packs a server with its libraries, runs it in turns from the package in a sandbox and from the unpacked tree as an
//! ordinary process, as the same user and with the same configuration, and drives load from outside. The table shows medians
//! and the ratio to outside. `apps NAME...` measures some of them, `--rounds N` and `--seconds N` (of each load, per round)
//! more or less often and long, `--quick` tries only whether everything runs, `--ask` waits for Enter when an App is packed.

mod app;
mod broker;
mod exchange;
mod memory;
mod mqtt;
mod nginx;
mod place;
mod plan;
mod postgres;
mod report;
mod rounds;
mod server;
mod site;
mod table;
mod tree;

use bench::World;
use place::Place;
use plan::Plan;
use table::Table;

fn main() {
    let Some(world) = World::enter() else { return };
    let plan = Plan::from_arguments();
    let mut table = Table::default();
    for app in &plan.apps {
        if let Some(program) = app.missing() {
            println!("SKIP {}: no {program}: ci/apps.sh installs it", app.name());
            let must_run = std::env::var_os("ROCKER_MUST_RUN").is_some();
            assert!(!must_run, "ROCKER_MUST_RUN is set");
            continue;
        }
        let place = Place::make(world.disk(), app.as_ref(), &plan);
        plan.wait_for_quiet();
        let visits = rounds::measure(app.as_ref(), &place, &plan);
        report::rows(app.as_ref(), &place, &visits, &mut table);
    }
    table.print();
}
