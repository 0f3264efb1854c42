//! One launch as a whole: what the App finds, what the guard is called, and what is left afterwards.

use rocker_client::{DEFAULT_SOCKET, guard_name};
use rocker_testing::{
    Case, Master, Sandbox, Traces, ask, eventually, is_there, kill, launch, launch_function,
    request, run_cases_on_both_kernels, wait_for, wait_for_guard,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("app_sees_its_package", app_sees_its_package),
    ("nothing_is_left", nothing_is_left),
    (
        "a_live_sandbox_is_seen_by_traces",
        a_live_sandbox_is_seen_by_traces,
    ),
    ("guard_is_called_what_it_says", guard_is_called_what_it_says),
    ("guard_names_are_unique", guard_names_are_unique),
    (
        "guard_names_are_unique_after_a_restart",
        guard_names_are_unique_after_a_restart,
    ),
    (
        "namespaces_are_not_the_host_s",
        namespaces_are_not_the_host_s,
    ),
    (
        "launches_from_eight_threads_all_work",
        launches_from_eight_threads_all_work,
    ),
    (
        "the_same_app_runs_twice_at_once",
        the_same_app_runs_twice_at_once,
    ),
];

fn app_sees_its_package() {
    let _master = Master::start();
    let launched = launch(&request(), &|| {
        assert_eq!(
            fs::read_to_string("/run/exec/hello").unwrap(),
            "hello from the package\n"
        );
        7
    })
    .unwrap();
    assert_eq!(wait_for(launched.app_pid), 7);
}

fn nothing_is_left() {
    let _master = Master::start();
    let request = request();
    // The first launch makes the layers' directories, which stay.
    Sandbox::start(&request).end();
    let data_dir = Path::new("/run/data");
    let before = Traces::now(data_dir);
    Sandbox::start(&request).end();
    eventually("all is as before", Duration::from_secs(1), || {
        Traces::now(data_dir) == before
    });
}

/// Else the cases that look for traces could not fail.
fn a_live_sandbox_is_seen_by_traces() {
    let _master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    let before = Traces::now(Path::new("/run/data"));
    let sandbox = Sandbox::start(&request);
    let during = Traces::now(Path::new("/run/data"));
    assert_eq!(during.loop_devices(), before.loop_devices() + 1);
    assert_eq!(during.processes(), before.processes() + 2);
    sandbox.end();
}

fn name_of(pid: i32) -> String {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    comm.trim_end().to_owned()
}

fn text(name: [u8; 16]) -> String {
    String::from_utf8(name.to_vec())
        .unwrap()
        .trim_end_matches('\0')
        .to_owned()
}

fn guard_is_called_what_it_says() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let name = text(sandbox.launched.guard_name);
    assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    assert_eq!(name_of(sandbox.guard_pid()), name);
    assert_eq!(text(guard_name(sandbox.guard_pid()).unwrap()), name);
    // The App is the caller's copy, with the caller's name.
    assert_ne!(name_of(sandbox.app_pid()), name);
    sandbox.end();
}

fn names_of_launches(count: usize) -> Vec<String> {
    let request = request();
    (0..count)
        .map(|_| {
            let launched = launch(&request, &|| 0).unwrap();
            assert_eq!(wait_for(launched.app_pid), 0);
            wait_for_guard(&launched);
            text(launched.guard_name)
        })
        .collect()
}

fn guard_names_are_unique() {
    let _master = Master::start();
    let names = names_of_launches(12);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 12, "{names:?}");
}

fn guard_names_are_unique_after_a_restart() {
    let mut names = BTreeSet::new();
    for _ in 0..3 {
        let mut master = Master::start();
        names.extend(names_of_launches(3));
        master.kill(libc::SIGKILL);
    }
    assert_eq!(names.len(), 9, "{names:?}");
}

fn namespaces_are_not_the_host_s() {
    const KINDS: [&str; 5] = ["mnt", "pid", "ipc", "uts", "user"];
    let read = || {
        KINDS
            .map(|kind| {
                fs::read_link(format!("/proc/self/ns/{kind}"))
                    .unwrap()
                    .display()
                    .to_string()
            })
            .join("\n")
    };
    let _master = Master::start();
    let outside = read();
    let inside = ask(&request(), &read);
    for (inside, outside) in inside.lines().zip(outside.lines()) {
        assert_ne!(inside, outside);
    }
    assert_eq!(inside.lines().count(), KINDS.len());
}

extern "C" fn leave_at_once(_: *mut std::ffi::c_void) -> i32 {
    // SAFETY: ends this process, which shares nothing with its parent.
    unsafe { libc::_exit(3) }
}

fn launches_from_eight_threads_all_work() {
    let _master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    let before = Traces::now(Path::new("/run/data"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let launched = launch_function(DEFAULT_SOCKET, &request, leave_at_once);
                    assert_eq!(wait_for(launched.unwrap().app_pid), 3);
                }
            });
        }
    });
    eventually("all is as before", Duration::from_secs(2), || {
        Traces::now(Path::new("/run/data")) == before
    });
}

fn the_same_app_runs_twice_at_once() {
    let _master = Master::start();
    let request = request();
    let first = Sandbox::start(&request);
    let second = Sandbox::start(&request);
    assert_ne!(first.guard_pid(), second.guard_pid());
    kill(first.guard_pid(), libc::SIGKILL);
    assert_eq!(wait_for(first.app_pid()), 128 + libc::SIGKILL);
    assert!(is_there(second.app_pid()));
    second.end();
}
