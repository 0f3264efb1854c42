//! Work directories of overlays: used in turns, and cleared while the App runs.

use rocker_client::{Data, DataMode, Request};
use rocker_testing::{
    Case, Master, Sandbox, ask, kill, make_dir, overlays, request, run_cases_on_both_kernels,
    wait_for, wait_for_guard, wait_for_master,
};
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "what_a_launch_has_used_the_next_one_leaves_clear",
        what_a_launch_has_used_the_next_one_leaves_clear,
    ),
    ("marks_of_volatile_overlays_go_too", marks_go_too),
    (
        "sandboxes_at_the_same_time_have_their_own",
        sandboxes_at_the_same_time_have_their_own,
    ),
    (
        "a_guard_killed_at_once_leaves_layers_that_work",
        a_guard_killed_at_once_leaves_layers_that_work,
    ),
];

const OVERLAYS: [&str; 2] = ["/run/one", "/run/two"];

fn overlaid() -> Request<'static> {
    for dir in OVERLAYS {
        make_dir(dir, 0o755);
    }
    Request {
        overlays: overlays(&[c"/run/one", c"/run/two"]),
        ..request()
    }
}

/// The work directories in which overlayfs has left something.
fn used() -> Vec<String> {
    let mut used = Vec::new();
    for layer in ["run+one", "run+two"] {
        for dir in fs::read_dir(format!("/run/data/.rocker/{layer}")).unwrap() {
            let dir = dir.unwrap();
            let name = dir.file_name().into_string().unwrap();
            if name.starts_with("work") && dir.path().join("work").exists() {
                used.push(format!("{layer}/{name}"));
            }
        }
    }
    used.sort();
    used
}

/// Of an overlay without its work directory, none of this can be done.
fn change_directories() -> String {
    for dir in OVERLAYS {
        let new = format!("{dir}/new");
        fs::create_dir(&new).unwrap();
        fs::write(format!("{new}/file"), "x").unwrap();
        fs::remove_dir_all(&new).unwrap();
    }
    String::new()
}

fn what_a_launch_has_used_the_next_one_leaves_clear() {
    let request = overlaid();
    let _master = Master::start();
    let turns = [
        ["run+one/work0", "run+two/work0"],
        ["run+one/work0+", "run+two/work0+"],
    ];
    for turn in turns.iter().cycle().take(5) {
        ask(&request, &change_directories);
        assert_eq!(used(), turn);
    }
}

fn marks_go_too() {
    let request = Request {
        data: Data {
            mode: DataMode::VOLATILE,
            ..Data::DISK
        },
        ..overlaid()
    };
    let _master = Master::start();
    for _ in 0..4 {
        ask(&request, &change_directories);
        assert_eq!(used().len(), 2);
    }
}

fn sandboxes_at_the_same_time_have_their_own() {
    let request = overlaid();
    let _master = Master::start();
    ask(&request, &change_directories);
    let first = Sandbox::start(&request);
    let second = Sandbox::start(&request);
    wait_for_master();
    assert_eq!(
        used(),
        [
            "run+one/work0+",
            "run+one/work1",
            "run+two/work0+",
            "run+two/work1"
        ]
    );
    first.end();
    // In the first one's place, beside the second.
    ask(&request, &change_directories);
    second.end();
}

/// The master may not have come to clear what the first has found, when the second takes its place.
fn a_guard_killed_at_once_leaves_layers_that_work() {
    let request = overlaid();
    let _master = Master::start();
    for _ in 0..50 {
        let killed = Sandbox::start(&request);
        kill(killed.guard_pid(), libc::SIGKILL);
        let next = Sandbox::start_with(&request, &|| drop(change_directories()));
        assert_eq!(wait_for(killed.app_pid()), 128 + libc::SIGKILL);
        next.unwrap().end();
        wait_for_guard(&killed.launched);
    }
}
