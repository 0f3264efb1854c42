//! What `/proc` says of processes.

use std::fs;

/// Every process of this pid namespace.
pub fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The children of a process, all of whose threads may have some.
pub fn children_of(pid: i32) -> Vec<i32> {
    let is_child = |child: &i32| {
        let text = fs::read_to_string(format!("/proc/{child}/status"));
        text.is_ok_and(|text| text.contains(&format!("\nPPid:\t{pid}\n")))
    };
    all().filter(is_child).collect()
}

/// Its name, as ps shows it.
pub fn name(pid: i32) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/comm"));
    text.unwrap_or_default().trim_end().to_owned()
}

/// Its arguments, each with a NUL behind it.
pub fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Its proportional set size in KiB; 0 if it has ended.
pub fn pss(pid: i32) -> f64 {
    number(&format!("/proc/{pid}/smaps_rollup"), "Pss:").unwrap_or(0.0)
}

/// The number after this word at the start of a line.
pub fn number(file: &str, word: &str) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

/// KiB that the kernel uses for itself, of all kinds that it tells. The page tables and stacks of processes are among them:
/// the stacks as part of what vmalloc gave (`CONFIG_VMAP_STACK`, as every distribution has it since 4.9), so they are not
/// counted by themselves.
pub fn kernel_memory() -> f64 {
    let kinds = ["Slab:", "PageTables:", "VmallocUsed:", "Percpu:"];
    let of = |kind| number("/proc/meminfo", kind).expect("a kernel that says so");
    kinds.into_iter().map(of).sum()
}
