//! What the user asked to leave out.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// The patterns of `--exclude`.
#[derive(Debug)]
pub(crate) struct Exclude(GlobSet);

impl Exclude {
    /// Compiles the patterns; see [`crate::Options::exclude`] for their meaning.
    pub(crate) fn new(patterns: &[String]) -> Result<Self> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = anchor(pattern.trim_end_matches('/'));
            let glob = GlobBuilder::new(&glob).literal_separator(true).build();
            set.add(
                glob.map_err(|e| Error::Options(format!("--exclude {pattern}: {}", e.kind())))?,
            );
        }
        let set = set
            .build()
            .map_err(|e| Error::Options(format!("--exclude: {e}")))?;
        Ok(Self(set))
    }

    /// Whether the file at this path within the tree is left out.
    pub(crate) fn matches(&self, relative: &Path) -> bool {
        self.0.is_match(relative)
    }
}

fn anchor(pattern: &str) -> String {
    match pattern
        .strip_prefix("./")
        .or_else(|| pattern.strip_prefix('/'))
    {
        Some(from_top) => from_top.to_string(),
        None if pattern.contains('/') => pattern.to_string(),
        None => format!("**/{pattern}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(pattern: &str, path: &str) -> bool {
        Exclude::new(&[pattern.to_string()])
            .unwrap()
            .matches(Path::new(path))
    }

    #[test]
    fn a_name_fits_at_any_depth_and_a_path_from_the_top() {
        assert!(excluded("*.pyc", "a.pyc") && excluded("*.pyc", "x/y/a.pyc"));
        assert!(excluded("/doc", "doc") && !excluded("/doc", "x/doc"));
        assert!(excluded("x/*.c", "x/a.c") && !excluded("x/*.c", "y/x/a.c"));
        assert!(!excluded("x/*.c", "x/y/a.c") && excluded("x/**/*.c", "x/y/z/a.c"));
        assert!(excluded("tests/", "lib/tests"));
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        let error = Exclude::new(&["a[".to_string()]).unwrap_err();
        assert!(error.to_string().contains("a["), "{error}");
    }
}
