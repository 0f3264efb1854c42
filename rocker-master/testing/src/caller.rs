//! `Caller`: what a launch may not change in the process that asks.

use crate::process::{descriptors_of, status_of};
use std::collections::BTreeMap;
use std::fs;

/// The case's own process, at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct Caller {
    status: Vec<String>,
    links: Vec<String>,
    dumpable: i32,
    descriptors: BTreeMap<i32, String>,
}

impl Caller {
    /// Looks now.
    pub fn now() -> Self {
        let me = std::process::id().cast_signed();
        const FIELDS: [&str; 9] = [
            "Uid",
            "Gid",
            "Groups",
            "CapEff",
            "CapBnd",
            "NoNewPrivs",
            "SigBlk",
            "SigIgn",
            "SigCgt",
        ];
        const LINKS: [&str; 9] = [
            "cwd",
            "root",
            "ns/mnt",
            "ns/pid_for_children",
            "ns/user",
            "ns/ipc",
            "ns/uts",
            "ns/net",
            "ns/cgroup",
        ];
        let link = |name: &str| fs::read_link(format!("/proc/{me}/{name}")).unwrap();
        Self {
            status: FIELDS.map(|field| status_of(me, field)).to_vec(),
            links: LINKS.map(|name| link(name).display().to_string()).to_vec(),
            // SAFETY: no argument, no effect.
            dumpable: unsafe { libc::prctl(libc::PR_GET_DUMPABLE) },
            descriptors: descriptors_of(me),
        }
    }
}
