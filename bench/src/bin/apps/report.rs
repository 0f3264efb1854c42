//! The rows of one App.

use crate::app::App;
use crate::place::Place;
use crate::rounds::Visit;
use crate::site::Site;
use crate::table::{Row, Table, median};

/// Every other site beside the first.
pub(crate) fn rows(app: &dyn App, place: &Place, visits: &[Vec<Visit>], table: &mut Table) {
    let inside = place.sites.iter().zip(visits).skip(1);
    for (site, visits_inside) in inside {
        let pair = Pair {
            name: app.name(),
            site,
            outside: &visits[0],
            inside: visits_inside,
        };
        pair.loads(app, table);
        pair.starts(table);
        pair.memory(table);
        pair.disk(place, table);
    }
}

/// One site and what it is compared with.
struct Pair<'a> {
    name: &'a str,
    site: &'a Site,
    outside: &'a [Visit],
    inside: &'a [Visit],
}

impl Pair<'_> {
    fn both(&self, of: impl Fn(&Visit) -> f64) -> [Vec<f64>; 2] {
        [self.outside, self.inside].map(|visits| visits.iter().map(&of).collect())
    }

    fn row<'a>(&self, what: &'a str, unit: &'a str, decimals: usize) -> Row<'a> {
        Row {
            what,
            site: self.site.kind.title(),
            unit,
            decimals,
            must: false,
        }
    }

    fn loads(&self, app: &dyn App, table: &mut Table) {
        for (index, load) in app.loads().iter().enumerate() {
            let what = format!("{}, {load}", self.name);
            let row = Row {
                must: true,
                ..self.row(&what, "/s", 0)
            };
            let [outside, inside] = self.both(|visit| visit.readings[index].0.rate);
            table.compare(row, &outside, &inside);
            let p99 = format!("{what}, 99 % within");
            let [outside, inside] = self.both(|visit| visit.readings[index].0.p99 / 1e3);
            table.compare(self.row(&p99, "ms", 2), &outside, &inside);
            let time = format!("{what}, processor time of the server for one");
            let [outside, inside] = self.both(|visit| visit.readings[index].1);
            table.compare(self.row(&time, "us", 1), &outside, &inside);
        }
    }

    fn starts(&self, table: &mut Table) {
        let what = format!("{}, start to first answer, cold", self.name);
        let [outside, inside] = self.both(|visit| visit.cold_start);
        table.compare(self.row(&what, "ms", 1), &outside, &inside);
        let what = format!("{}, the same again", self.name);
        let [outside, inside] = self.both(|visit| visit.start);
        table.compare(self.row(&what, "ms", 1), &outside, &inside);
    }

    fn memory(&self, table: &mut Table) {
        let what = format!("{}, server's processes, PSS", self.name);
        let [outside, inside] = self.both(|visit| visit.pss);
        table.compare(self.row(&what, "KiB", 0), &outside, &inside);
        for (what, of) in [
            (
                "guard, master, rocker run, PSS",
                helpers as fn(&Visit) -> f64,
            ),
            ("kernel memory for all of it", kernel),
            ("page cache, the App's files", files),
            ("page cache, the package itself", package),
        ] {
            let what = format!("{}, {what}", self.name);
            let [outside, inside] = self.both(of);
            let row = self.row(&what, "KiB", 0);
            table.state(row, median(&outside), median(&inside));
        }
    }

    fn disk(&self, place: &Place, table: &mut Table) {
        let what = format!("{}, on the disk", self.name);
        let package = std::fs::metadata(&self.site.package).expect("a package");
        let package = package.len() as f64 / 1024.0;
        let tree = place.tree.disk_usage();
        table.compare(self.row(&what, "KiB", 0), &[tree], &[package]);
    }
}

fn helpers(visit: &Visit) -> f64 {
    visit.helpers
}

fn kernel(visit: &Visit) -> f64 {
    visit.kernel
}

fn files(visit: &Visit) -> f64 {
    visit.files
}

fn package(visit: &Visit) -> f64 {
    visit.package
}
