//! `Table`: what is printed.

/// Rows of the table of budgets, and figures that stand beside it.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// A value that may be at most its budget.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, budget: f64, unit: &str) {
        let reached = if value <= budget { "yes" } else { "NO" };
        let text = |number: f64| match unit {
            "x" => format!("{number:.2}x"),
            _ => format!("{number:.0} {unit}"),
        };
        self.put(what, &format!("<= {}", text(budget)), &text(value), reached);
    }

    /// A figure without a budget.
    pub(crate) fn report(&mut self, what: &str, value: &str) {
        self.put(what, "", value, "");
    }

    fn put(&mut self, what: &str, budget: &str, value: &str, reached: &str) {
        // Seen as it comes: a run takes minutes.
        eprintln!("{what}: {value} {reached}");
        self.0
            .push([what, budget, value, reached].map(str::to_owned));
    }

    /// As Markdown.
    pub(crate) fn print(&self) {
        println!("| what | must | is | reached |\n|---|---|---|---|");
        for [what, budget, value, reached] in &self.0 {
            println!("| {what} | {budget} | {value} | {reached} |");
        }
    }
}
