//! How much memory the kernel uses for itself.

use std::fs;

/// What a mount can add to: caches, buffers, workspaces of decompressors, counters per processor.
const KINDS: [&str; 5] = [
    "Slab:",
    "KernelStack:",
    "PageTables:",
    "VmallocUsed:",
    "Percpu:",
];

/// Bytes, as `/proc/meminfo` says; nothing where there is none.
pub(crate) fn kernel_use() -> Option<i64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?; // no /proc
    let kib = |line: &str| {
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        let counted = KINDS.contains(&kind);
        let number = rest.split_whitespace().next().filter(|_| counted)?;
        number.parse::<i64>().ok() // the kernel writes numbers
    };
    Some(text.lines().filter_map(kib).sum::<i64>() << 10)
}
