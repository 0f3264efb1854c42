//! The table of an advice.

use rocker_pack::{Advice, AdviseOptions, Candidate, Choice, Figures, Row};

const HEAD: [&str; 9] = [
    "format",
    "flash MB",
    "saved",
    "kernel KiB",
    "cold start ms",
    "warm start ms",
    "cold read MB/s",
    "random 4K us",
    "from disk MB",
];

/// The table, what was not tried, and the recommendation.
pub fn table(advice: &Advice, options: &AdviseOptions) -> String {
    let unpacked = advice.unpacked.as_ref().ok();
    let mut lines = vec![HEAD.map(String::from).to_vec(), tree_row(advice)];
    lines.extend(advice.rows.iter().map(|row| line(row, advice)));
    if unpacked.is_none() {
        lines.iter_mut().for_each(|cells| cells.truncate(3));
    }
    let mut text = format!(
        "{:?}: {:.1} MB of content\nstart: {}\n\n",
        options.pack.source,
        mega(advice.apparent),
        advice.start
    );
    text += &align(&lines);
    text.push('\n');
    for row in &advice.rows {
        if let Some(reason) = trouble(row, unpacked.is_some()) {
            text += &format!("note: {}: {reason}\n", row.candidate);
        }
    }
    advice
        .notes
        .iter()
        .for_each(|note| text += &format!("note: {note}\n"));
    text += &recommendation(advice, options);
    text
}

fn tree_row(advice: &Advice) -> Vec<String> {
    let mut cells = vec![
        "unpacked".into(),
        format!("{:.1}", mega(advice.on_disk)),
        "-".into(),
    ];
    if let Ok(figures) = &advice.unpacked {
        cells.extend(measured(figures, None));
        cells[3] = "-".into();
    }
    cells
}

fn line(row: &Row, advice: &Advice) -> Vec<String> {
    let mut cells = vec![row.candidate.to_string()];
    match row.bytes {
        Ok(bytes) => {
            cells.push(format!("{:.1}", mega(bytes)));
            cells.push(format!("{:.1} %", saved(bytes, advice.on_disk)));
        }
        Err(_) => cells.extend(["-".into(), "-".into()]),
    }
    if let Ok(figures) = &row.figures {
        cells.extend(measured(figures, advice.unpacked.as_ref().ok()));
    }
    cells.resize(HEAD.len(), "-".into());
    cells
}

/// The cells that need mounts; beside each its ratio to the unpacked tree's, if that is given.
fn measured(figures: &Figures, unpacked: Option<&Figures>) -> [String; 6] {
    let cell = |value: f64, digits: usize, figure: fn(&Figures) -> f64| match unpacked.map(figure) {
        Some(base) if base > 0.0 => format!("{value:.digits$} ({:.2}x)", value / base),
        _ => format!("{value:.digits$}"),
    };
    let cold = |f: &Figures| f.cold_start.as_secs_f64() * 1e3;
    let warm = |f: &Figures| f.warm_start.as_secs_f64() * 1e3;
    let random = |f: &Figures| f.random_read.as_secs_f64() * 1e6;
    let read = |f: &Figures| f.cold_read / 1e6;
    [
        format!("{}", figures.kernel_memory >> 10),
        cell(cold(figures), 1, cold),
        cell(warm(figures), 1, warm),
        cell(read(figures), 0, read),
        cell(random(figures), 0, random),
        figures
            .from_device
            .map_or("?".into(), |bytes| format!("{:.1}", mega(bytes))),
    ]
}

/// Why a row lacks something that others have.
fn trouble(row: &Row, measured: bool) -> Option<&str> {
    match (&row.bytes, &row.figures) {
        (Err(reason), _) => Some(reason),
        (_, Err(reason)) if measured => Some(reason),
        _ => None,
    }
}

fn recommendation(advice: &Advice, options: &AdviseOptions) -> String {
    let Some(choice) = &advice.choice else {
        return "recommended: nothing, as nothing could be packed and mounted here\n".into();
    };
    let Some(row) = advice
        .rows
        .iter()
        .find(|row| row.candidate == choice.candidate)
    else {
        return String::new();
    };
    let mut text = format!(
        "recommended: {} ({})\n",
        choice.candidate,
        arguments(choice.candidate)
    );
    text += &format!("  {}\n", because(choice, row, advice, options));
    for limit in &choice.given_up {
        text += &format!("  given up, as nothing is within all limits: {limit}\n");
    }
    text
}

fn because(choice: &Choice, row: &Row, advice: &Advice, options: &AdviseOptions) -> String {
    let first = match options.prefer {
        rocker_pack::Prefer::Flash => "the smallest",
        rocker_pack::Prefer::Speed => "the shortest cold start",
        rocker_pack::Prefer::Memory => "the least kernel memory",
    };
    let within = match choice.given_up.len() {
        0 => "of those within all limits",
        _ => "of those within the other limits",
    };
    let mut text = format!("{first} {within}");
    if let Ok(bytes) = row.bytes {
        text += &format!(": {:.1} % saved", saved(bytes, advice.on_disk));
    }
    if let (Ok(figures), Ok(tree)) = (&row.figures, &advice.unpacked) {
        text += &format!(
            ", {} of at most {} KiB of kernel memory, cold read {:.2}x and cold start {:.2}x the unpacked tree's",
            figures.kernel_memory >> 10,
            options.memory_limit >> 10,
            figures.cold_read / tree.cold_read,
            figures.cold_start.as_secs_f64() / tree.cold_start.as_secs_f64(),
        );
    }
    text
}

/// How to ask for it without --advise.
fn arguments(candidate: Candidate) -> String {
    match candidate {
        Candidate::Squashfs {
            compression,
            block_size,
        } => {
            format!("-c {compression} -b {}K", block_size >> 10)
        }
        Candidate::Erofs { .. } => "made by mkfs.erofs".into(),
    }
}

fn saved(bytes: u64, on_disk: u64) -> f64 {
    100.0 - 100.0 * bytes as f64 / on_disk.max(1) as f64
}

fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The first column to the left, the others to the right, each as wide as its widest cell.
fn align(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|cells| cells.get(column));
        cells.map(String::len).max().unwrap_or(0)
    };
    let mut text = String::new();
    for cells in lines {
        for (column, cell) in cells.iter().enumerate() {
            let width = width(column);
            text += &match column {
                0 => format!("{cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}
