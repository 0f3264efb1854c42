//! `Kept`: what one launch leaves for the next.

use crate::cache::PackageCache;
use crate::options::Options;
use crate::trust::TrustTable;
use crate::user_namespaces::UserNamespaces;

/// All of it goes with the master; sandboxes keep what they have.
pub(crate) struct Kept<'a> {
    /// Packages that are mounted.
    pub(crate) cache: PackageCache,
    /// Packages that are known to be signed.
    pub(crate) trust: TrustTable<'a>,
    /// User namespaces with their maps.
    pub(crate) user_namespaces: UserNamespaces,
}

impl<'a> Kept<'a> {
    /// Nothing yet.
    pub(crate) fn new(options: &Options<'a>) -> Self {
        Self {
            cache: PackageCache::new(options.cache_idle_ms),
            trust: TrustTable::new(options),
            user_namespaces: UserNamespaces::default(),
        }
    }
}
