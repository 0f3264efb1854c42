//! The budgets, measured in one run: what must hold, what is, and whether it is reached.
//!
//! `budgets` prints everything; `budgets --quick` takes a tenth of the samples; with names of parts, it prints those. The
//! exit status says nothing about budgets: a table is for people, and times on a shared machine are no verdict.

mod latency;
mod memory;
mod others;
mod size;
mod table;
mod whole;

use bench::{Master, World};
use table::Table;

/// What a part is called on the command line, and what it measures, with this many rounds.
type Part = (&'static str, fn(&mut Table, &World, &Master, usize));

const PARTS: &[Part] = &[
    ("size", |table, _, _, _| size::measure(table)),
    ("idle", |table, world, master, _| {
        memory::measure_idle(table, world, master);
    }),
    ("launch", |table, world, _, rounds| {
        latency::measure(table, world, rounds);
    }),
    ("app-master", |table, world, _, rounds| {
        latency::measure_app_masters(table, world, rounds);
    }),
    ("whole", |table, world, _, rounds| {
        whole::measure(table, world, rounds / 4);
    }),
    ("teardown", |table, world, _, rounds| {
        latency::measure_teardown(table, world, rounds);
    }),
    ("mounts", |table, world, _, rounds| {
        others::measure_mounts(table, world, rounds);
    }),
    ("live", |table, world, _, rounds| {
        others::measure_live(table, world, rounds / 2);
    }),
    ("memory", |table, world, _, _| {
        memory::measure_kernel(table, world);
    }),
    ("elsewhere", |table, _, _, _| elsewhere(table)),
];

/// Budgets that other programs measure.
fn elsewhere(table: &mut Table) {
    for (what, program) in [
        (
            "client's contribution to a C program (<= 8 KiB)",
            "ci/size.sh",
        ),
        (
            "App inside against outside, steady state (>= 0.97x)",
            "cargo run --release -p bench --bin apps",
        ),
        (
            "disk: tree of 50 to 100 MB (>= 65 % saved, cold read >= ext4)",
            "cargo run --release -p bench --bin apps",
        ),
    ] {
        table.report(what, &format!("`{program}`"));
    }
}

fn main() {
    let Some(world) = World::enter() else { return };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, wanted): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = wanted
        .iter()
        .find(|name| PARTS.iter().all(|part| part.0 != **name))
    {
        let names: Vec<&str> = PARTS.iter().map(|part| part.0).collect();
        eprintln!("no part {unknown}; there are: {}", names.join(" "));
        std::process::exit(2);
    }
    let rounds = if options.contains(&"--quick") {
        20
    } else {
        200
    };
    let mut table = Table::default();
    let master = Master::start_with_cache();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.contains(name) {
            measure(&mut table, &world, &master, rounds);
        }
    }
    table.print();
}
