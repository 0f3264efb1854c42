//! Attacks: each is carried out for real against the real master, and must fail.
//!
//! The attacker's code runs: a hostile App, a local user, a package, a careless AppMaster. What counts is what the *host*
//! sees of it: its files, its inotify, its `/proc`; or what the attacker carried out, compared with what it was after
//! ([`loot`]). Beside each attack stands its control: the same attacker where the one defence against it is missing
//! succeeds, by a master that does without it ([`Master::start_without`](rocker_testing::Master::start_without)) or a client
//! that forgets a step ([`entry`]). Names begin with the row of the table in README.md, which `tests/attack_suite.rs`
//! compares with this list.
#![allow(unsafe_code, reason = "attackers fork, trace and mount")]

mod crowd;
mod descriptors;
mod entry;
mod false_master;
mod identity;
mod layers;
mod loot;
mod lurker;
mod machine;
mod name_service;
mod owner;
mod package;
mod paths;
mod peers;
mod pids;
mod shared_memory;
mod swapper;
mod system_calls;
mod tracing;
mod victim;

use rocker_testing::{Case, run_attacks};
use std::process::ExitCode;

/// Names that are the functions' own.
macro_rules! cases {
    ($($module:ident: $($name:ident)+;)+) => {
        &[$($((stringify!($name), $module::$name)),+),+]
    };
}

const CASES: &[Case] = cases! {
    identity: s01_app_as_host_root s17_privileges_in_the_user_namespace s18_groups_of_the_app_master
        s24_capabilities_handed_down d11_master_asked_from_inside;
    tracing: s02_program_of_the_master s05_entering_processes s05_programs_that_enter_later;
    owner: s31_building_processes;
    descriptors: s04_descriptors_of_the_master s04_descriptors_of_the_app_master;
    name_service: s06_library_of_the_name_service;
    machine: s08_writing_to_the_host s32_knobs_of_the_machine s33_medium_kept_busy
        s33_medium_plugged_in_later s33_device_plugged_in_later;
    paths: s09_exchanged_directories s09_exchanged_directories_without_openat2 s10_mount_options_in_a_name;
    layers: s26_exchanged_layers;
    package: s11_devices_and_setuid_programs s12_damaged_superblock;
    crowd: s14_guards_killed_in_a_crowd s22_master_of_one_thread d04_launch_after_a_kill d05_crowd_of_launches
        d06_six_hundred_launches;
    pids: s19_reused_process_ids;
    shared_memory: s27_shared_memory_of_the_host;
    system_calls: s07_typing_into_the_terminal s07_pasting_into_the_console s15_cgroup_file_system
        s16_namespace_in_the_sandbox s16_doors_of_the_kernel;
    peers: s25_false_guard d02_strange_sockets;
};

fn main() -> ExitCode {
    run_attacks(CASES)
}
