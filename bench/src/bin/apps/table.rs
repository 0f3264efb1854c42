//! `Table`: what is printed.

/// Rows: what, where, outside, inside, ratio, its quartiles, reached.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 7]>);

/// The least that an App may keep of its throughput.
const BUDGET: f64 = 0.97;

impl Table {
    /// Two series of the same rounds; the ratio is that of the medians, its spread that of the rounds. `unit` has the
    /// decimals that are worth showing.
    pub(crate) fn compare(&mut self, row: Row<'_>, outside: &[f64], inside: &[f64]) {
        let pairs = outside.iter().zip(inside);
        let mut ratios: Vec<f64> = pairs.map(|(outside, inside)| inside / outside).collect();
        ratios.sort_by(f64::total_cmp);
        let quarter = ratios.len() / 4;
        let (low, high) = (ratios[quarter], ratios[ratios.len() - 1 - quarter]);
        let (outside, inside) = (median(outside), median(inside));
        let ratio = inside / outside;
        let reached = match (row.must, ratio >= BUDGET) {
            (false, _) => "",
            (true, true) => "yes",
            (true, false) => "NO",
        };
        let number = |value: f64| format!("{value:.*} {}", row.decimals, row.unit);
        self.put([
            row.what.to_owned(),
            row.site.to_owned(),
            number(outside),
            number(inside),
            format!("{ratio:.3}"),
            format!("{low:.3} to {high:.3}"),
            reached.to_owned(),
        ]);
    }

    /// Two values with nothing to divide, or nothing worth it.
    pub(crate) fn state(&mut self, row: Row<'_>, outside: f64, inside: f64) {
        let number = |value: f64| format!("{value:.*} {}", row.decimals, row.unit);
        self.put([
            row.what.to_owned(),
            row.site.to_owned(),
            number(outside),
            number(inside),
            String::new(),
            String::new(),
            String::new(),
        ]);
    }

    fn put(&mut self, cells: [String; 7]) {
        eprintln!("{}", cells.join("  "));
        self.0.push(cells);
    }

    /// As Markdown.
    pub(crate) fn print(&self) {
        println!(
            "| what | sandbox | outside | inside | ratio | half of the rounds | >= {BUDGET} |"
        );
        println!("|---|---|---|---|---|---|---|");
        for cells in &self.0 {
            println!("| {} |", cells.join(" | "));
        }
    }
}

/// What a row says besides its numbers.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) what: &'a str,
    pub(crate) site: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) decimals: usize,
    /// Is there a budget for it?
    pub(crate) must: bool,
}

/// The middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    bench::median(values.to_vec())
}
