//! Commands, masters and guards that are killed: what goes with them, and what the next run removes.

mod support;

use rocker_testing::{
    Case, children_of, eventually, is_there, kill, run_cases_on_both_kernels, status_of,
};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{before, now, outcome, run};

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "the_private_master_ends_with_the_launch",
        the_private_master_ends_with_the_launch,
    ),
    (
        "a_killed_command_takes_its_app_along",
        a_killed_command_takes_its_app_along,
    ),
    (
        "a_killed_command_takes_the_children_of_its_app_along",
        a_killed_command_takes_the_children_of_its_app_along,
    ),
    (
        "a_command_killed_in_the_middle_leaves_no_master",
        a_command_killed_in_the_middle_leaves_no_master,
    ),
    (
        "what_a_killed_command_left_the_next_one_removes",
        what_a_killed_command_left_the_next_one_removes,
    ),
    (
        "a_killed_guard_ends_the_app_and_the_command",
        a_killed_guard_ends_the_app_and_the_command,
    ),
];

/// Starts an App that says when it runs, and waits for that.
fn started(script: &str) -> Child {
    let mut command = run(&["sh", "-c"]);
    command
        .arg(format!("echo; {script}"))
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut byte = [0];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut byte)
        .unwrap();
    child
}

/// Waits until the private master has ended, and left App and guard to the command.
fn settle() {
    let of_a_master = |name: &String| name.starts_with("run.");
    eventually("the master has ended", Duration::from_secs(1), || {
        !names_in_run().iter().any(of_a_master)
    });
}

fn names_in_run() -> Vec<String> {
    let entries = fs::read_dir("/run/rocker").unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The children of a command whose master has ended: its App, and the guard, which is named by the master.
fn app_and_guard(command: &Child) -> (i32, i32) {
    settle();
    let children = children_of(command.id().cast_signed());
    let (guards, apps): (Vec<i32>, Vec<i32>) = children
        .iter()
        .partition(|pid| status_of(**pid, "Name").starts_with("rk"));
    assert_eq!((apps.len(), guards.len()), (1, 1), "{children:?}");
    (apps[0], guards[0])
}

fn the_private_master_ends_with_the_launch() {
    before();
    let mut child = started("exec sleep 1000");
    let pid = child.id().cast_signed();
    assert_eq!(
        status_of(app_and_guard(&child).0, "Uid"),
        "65534 65534 65534 65534"
    );
    assert_eq!(names_in_run(), ["app".to_owned(), format!("data.{pid}")]);
    kill(pid, libc::SIGTERM);
    child.wait().unwrap();
}

fn a_killed_command_takes_its_app_along() {
    let before = before();
    let mut child = started("exec sleep 1000");
    let pid = child.id().cast_signed();
    let (app, guard) = app_and_guard(&child);
    kill(pid, libc::SIGKILL);
    child.wait().unwrap();
    // They are this case's children now, as PID 1.
    for pid in [app, guard] {
        rocker_testing::wait_for(pid);
    }
    drop(child);
    fs::remove_dir_all(format!("/run/rocker/data.{pid}")).unwrap();
    assert_eq!(now(), before);
}

/// Those that have left its process group and ignore what a terminal says, too: they are the guard's, which hears that the
/// command has gone.
fn a_killed_command_takes_the_children_of_its_app_along() {
    let before = before();
    let mut child = started("trap '' HUP; setsid sleep 1000 & exec sleep 1000");
    let pid = child.id().cast_signed();
    let (app, guard) = app_and_guard(&child);
    eventually("its child is there", Duration::from_secs(2), || {
        children_of(app).len() == 1
    });
    let orphan = children_of(app)[0];
    kill(pid, libc::SIGKILL);
    child.wait().unwrap();
    for pid in [app, guard] {
        rocker_testing::wait_for(pid);
    }
    assert!(!is_there(orphan));
    drop(child);
    fs::remove_dir_all(format!("/run/rocker/data.{pid}")).unwrap();
    assert_eq!(now(), before);
}

fn a_command_killed_in_the_middle_leaves_no_master() {
    let before = before();
    for delay in (0..60).map(|step| Duration::from_micros(step * 400)) {
        let mut child = run(&["sleep", "1000"]).spawn().unwrap();
        let start = Instant::now();
        while start.elapsed() < delay {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Whatever is left is dying, and this case, as PID 1, takes it off the table.
        eventually("no process is left", Duration::from_secs(5), || {
            // SAFETY: a null status is not written.
            while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
            now().processes() == before.processes()
        });
    }
    // The next run clears up.
    assert_eq!(outcome(&mut run(&["true"])).0, 0);
    assert_eq!(now(), before);
}

fn what_a_killed_command_left_the_next_one_removes() {
    let before = before();
    // No process has the largest number.
    fs::create_dir_all("/run/rocker/data.4194304/rocker/upper/a/b").unwrap();
    for name in [
        "run.4194304.sock",
        "run.4194304.sock.lock",
        "run.4194304.sock.mask",
    ] {
        fs::write(Path::new("/run/rocker").join(name), "").unwrap();
    }
    // These belong to somebody: a process that lives, and a name that is none of ours.
    let kept = ["data.1", "data.x", "data"].map(|name| Path::new("/run/rocker").join(name));
    kept.iter().for_each(|dir| fs::create_dir(dir).unwrap());
    assert_eq!(outcome(&mut run(&["true"])).0, 0);
    kept.iter().for_each(|dir| fs::remove_dir(dir).unwrap());
    assert_eq!(now(), before);
}

fn a_killed_guard_ends_the_app_and_the_command() {
    let before = before();
    let mut child = started("exec sleep 1000");
    let pid = child.id().cast_signed();
    kill(app_and_guard(&child).1, libc::SIGKILL);
    assert_eq!(child.wait().unwrap().code(), Some(128 + libc::SIGKILL));
    assert!(!is_there(pid));
    drop(child);
    assert_eq!(now(), before);
}
