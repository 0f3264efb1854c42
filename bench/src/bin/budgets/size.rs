//! How large the programs are.

use crate::table::Table;
use rocker_testing::binary;

pub(crate) fn measure(table: &mut Table) {
    let size = |name| {
        let file = std::fs::metadata(binary(name));
        file.expect("built").len() as f64 / 1024.0
    };
    table.at_most("rocker-master", size("rocker-master"), 64.0, "KiB");
    table.at_most("rocker", size("rocker"), 48.0, "KiB");
}
