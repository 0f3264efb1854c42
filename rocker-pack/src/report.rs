//! The words after a build.

use rocker_pack::{Options, Summary};

/// The summary as printed.
pub fn summary(summary: &Summary, options: &Options) -> String {
    let Summary {
        package,
        apparent,
        on_disk,
        ..
    } = *summary;
    let mut text = format!("{:?}: {}\n", options.output, counts(summary));
    let rows = [
        (
            "in",
            format!(
                "{} on a disk with 4 KiB blocks, {} of content",
                size(on_disk),
                size(apparent)
            ),
        ),
        (
            "out",
            format!(
                "{} ({} {} KiB blocks)",
                size(package),
                options.compression,
                options.block_size >> 10
            ),
        ),
        ("saved", saved(summary)),
        ("time", format!("{:.1} s", summary.elapsed.as_secs_f64())),
    ];
    for (name, value) in rows {
        text += &format!("  {name:<6} {value}\n");
    }
    text
}

fn saved(summary: &Summary) -> String {
    match summary.saved_percent() {
        percent if percent < 0.0 => "nothing: names and inodes outweigh the content".into(),
        percent => format!("{percent:.1} % of the disk"),
    }
}

fn counts(summary: &Summary) -> String {
    let kinds = [
        (summary.files, "files"),
        (summary.directories, "directories"),
        (summary.symlinks, "symlinks"),
        (summary.specials, "devices, fifos and sockets"),
        (summary.hard_links, "further hard links"),
        (summary.repeats, "files with the content of another"),
        (summary.excluded, "names excluded"),
    ];
    let said = kinds.iter().filter(|(count, _)| *count > 0);
    said.map(|(count, name)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Bytes, and from a MiB on also in MiB.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{bytes} bytes"),
        _ => format!("{bytes} bytes ({:.1} MiB)", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_exact_and_readable() {
        assert_eq!(size(1_048_575), "1048575 bytes");
        assert_eq!(size(1_572_864), "1572864 bytes (1.5 MiB)");
    }
}
