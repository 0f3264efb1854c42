//! `Defence`: what a master that is built to be attacked can be told to do without.
//!
//! The attack suite shows of an attack that it fails, and that it succeeds where the one defence against it is missing: a
//! test that cannot fail says nothing. That takes a master that leaves a defence out (`--without NAME`), which the feature
//! `weakened` makes, and no build that ships. In those every defence stands, the compiler knows, and nothing is left of the
//! question.

/// One defence of the guard or the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defence {
    /// The guard is not dumpable: nobody of its uid may look into it.
    NotDumpable = 1,
    /// The guard closes what it inherited.
    Descriptors,
    /// Symbolic links that somebody other than root could have made are not followed.
    Symlinks,
    /// The directory of the layers must be root's, and closed.
    LayerStore,
    /// Packages are mounted nodev.
    Nodev,
    /// A package's superblock is looked at before the kernel parses it.
    Superblock,
    /// What of `/proc` and `/sys` is closed.
    PseudoFs,
    /// Mounts follow the host's and tell it nothing.
    Propagation,
}

#[cfg(not(feature = "weakened"))]
impl Defence {
    /// Is it there? Always.
    pub const fn stands(self) -> bool {
        true
    }
}

#[cfg(feature = "weakened")]
mod missing {
    use super::Defence;
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

    /// The number of the one that is missing, 0 if none is. Guards have a copy of it.
    static MISSING: AtomicU32 = AtomicU32::new(0);

    const NAMES: [(&[u8], Defence); 8] = [
        (b"not-dumpable", Defence::NotDumpable),
        (b"descriptors", Defence::Descriptors),
        (b"symlinks", Defence::Symlinks),
        (b"layer-store", Defence::LayerStore),
        (b"nodev", Defence::Nodev),
        (b"superblock", Defence::Superblock),
        (b"pseudo-fs", Defence::PseudoFs),
        (b"propagation", Defence::Propagation),
    ];

    impl Defence {
        /// Is it there?
        pub fn stands(self) -> bool {
            MISSING.load(Relaxed) != self as u32
        }

        /// Leaves the one of this name out from now on; says whether there is one.
        pub fn leave_out(name: &[u8]) -> bool {
            let known = NAMES.iter().find(|(known, _)| *known == name);
            if let Some((_, defence)) = known {
                MISSING.store(*defence as u32, Relaxed);
            }
            known.is_some()
        }
    }
}
