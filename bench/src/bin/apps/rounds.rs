//! One visit to each site per round, so that whatever else the machine does meets all of them.

use crate::app::{App, Reading};
use crate::memory::{evict, pss, resident};
use crate::place::Place;
use crate::plan::Plan;
use crate::server::{Server, processor_time};
use crate::site::{Kind, Site};
use bench::Master;
use bench::proc::kernel_memory;
use std::path::Path;

/// What one visit found. Times are in milliseconds, memory is in KiB.
pub(crate) struct Visit {
    /// Start to first answer, with nothing of tree and package in the page cache, and no mount kept.
    pub(crate) cold_start: f64,
    /// The same right after that.
    pub(crate) start: f64,
    /// Of each load; and the microseconds of processor time that the server took for an answer.
    pub(crate) readings: Vec<(Reading, f64)>,
    /// The server's processes, after the loads.
    pub(crate) pss: f64,
    /// Guard, master and `rocker run`.
    pub(crate) helpers: f64,
    /// What the kernel uses more than before: for server, sandbox, package and master.
    pub(crate) kernel: f64,
    /// The App's files in the page cache, as it sees them.
    pub(crate) files: f64,
    /// The package in the page cache.
    pub(crate) package: f64,
}

/// The visits to each site.
pub(crate) fn measure(app: &dyn App, place: &Place, plan: &Plan) -> Vec<Vec<Visit>> {
    let count = place.sites.len();
    let mut visits: Vec<Vec<Visit>> = (0..count).map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        // Whoever comes after a slow one must not always be the same.
        for index in (0..count).map(|turn| (turn + round) % count) {
            visits[index].push(visit(app, place, &place.sites[index], plan));
        }
        eprintln!("{}: round {} of {}", app.name(), round + 1, plan.rounds);
    }
    visits
}

fn visit(app: &dyn App, place: &Place, site: &Site, plan: &Plan) -> Visit {
    forget(place, site);
    let before = kernel_memory();
    let master = (site.kind != Kind::Outside).then(Master::start_with_cache);
    let cold = Server::start(app, site);
    let cold_start = cold.start;
    cold.end();
    let server = Server::start(app, site);
    let kernel = kernel_memory() - before;
    let loads = 0..app.loads().len();
    let readings = loads.map(|load| drive(app, load, site, plan, &server));
    let readings: Vec<_> = readings.collect();
    let (files, package) = page_cache(place, site, &server);
    let visit = Visit {
        cold_start,
        start: server.start,
        readings,
        pss: pss(&server.processes()),
        helpers: pss(&server.helpers(master.as_ref().map(Master::pid))),
        kernel,
        files,
        package,
    };
    server.end();
    visit
}

/// One load; gives the reading, and microseconds of the server's processor time per answer.
fn drive(app: &dyn App, load: usize, site: &Site, plan: &Plan, server: &Server) -> (Reading, f64) {
    let before = processor_time(&server.processes());
    let reading = app.drive(load, site, plan.load);
    let took = processor_time(&server.processes()) - before;
    let answers = reading.rate * plan.load.as_secs_f64();
    (reading, took * 1e6 / answers)
}

/// Empties the page cache of everything that this site reads its program from.
fn forget(place: &Place, site: &Site) {
    for file in place.tree.files() {
        evict(&site.tree.join(file));
    }
    evict(&site.package);
}

/// KiB of the App's files, and of the package that they come from.
fn page_cache(place: &Place, site: &Site, server: &Server) -> (f64, f64) {
    let root = Path::new("/proc").join(server.pid.to_string()).join("root");
    let program_dir = site.program_dir();
    let dir = root.join(program_dir.strip_prefix("/").expect("absolute"));
    let files = place.tree.files();
    let files = files.iter().map(|file| resident(&dir.join(file))).sum();
    match site.kind {
        Kind::Outside => (files, 0.0),
        _ => (files, resident(&site.package)),
    }
}
