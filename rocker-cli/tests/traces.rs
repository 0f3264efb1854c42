//! What is left after a run: no process, mount, loop device or file.

mod support;

use rocker_testing::{
    Case, Master, Traces, children_of, eventually, is_there, kill, make_dir, package, run_cases,
    status_of,
};
use std::fs;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{outcome, run};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("nothing_is_left_on_return", nothing_is_left_on_return),
    (
        "nothing_is_left_of_a_failed_launch",
        nothing_is_left_of_a_failed_launch,
    ),
    (
        "nothing_is_left_with_a_master_that_runs",
        nothing_is_left_with_a_master_that_runs,
    ),
    (
        "background_processes_are_gone_on_return",
        background_processes_are_gone_on_return,
    ),
    (
        "background_processes_are_gone_on_an_old_kernel",
        background_processes_are_gone_on_an_old_kernel,
    ),
    (
        "the_private_master_ends_with_the_launch",
        the_private_master_ends_with_the_launch,
    ),
    (
        "a_killed_command_takes_its_app_along",
        a_killed_command_takes_its_app_along,
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
        "two_at_once_do_not_disturb_each_other",
        two_at_once_do_not_disturb_each_other,
    ),
    ("a_stale_socket_is_no_master", a_stale_socket_is_no_master),
    (
        "a_command_with_older_children_does_not_wait_for_them",
        a_command_with_older_children_does_not_wait_for_them,
    ),
    (
        "a_killed_guard_ends_the_app_and_the_command",
        a_killed_guard_ends_the_app_and_the_command,
    ),
];

/// The host as a run should find and leave it: the directory for all runs is there.
fn before() -> Traces {
    package();
    make_dir("/run/rocker/app", 0o755);
    Traces::now(Path::new("/run/rocker"))
}

fn now() -> Traces {
    Traces::now(Path::new("/run/rocker"))
}

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

fn nothing_is_left_on_return() {
    let before = before();
    for _ in 0..20 {
        assert_eq!(outcome(&mut run(&["sh", "-c", "> /etc/new"])).0, 0);
        assert_eq!(now(), before);
    }
}

fn nothing_is_left_of_a_failed_launch() {
    let before = before();
    for _ in 0..20 {
        assert_eq!(outcome(&mut run(&["/nothing"])).0, 127);
        assert_eq!(now(), before);
        assert_eq!(
            outcome(&mut run(&[
                "--overlay",
                "/etc",
                "--overlay",
                "/run/none",
                "true"
            ]))
            .0,
            125
        );
        assert_eq!(now(), before);
    }
}

fn nothing_is_left_with_a_master_that_runs() {
    before();
    let _master = Master::start();
    let before = now();
    for script in ["exit 0", "sleep 1000 & exit 0"] {
        assert_eq!(outcome(&mut run(&["sh", "-c", script])).0, 0);
        // The guard is the master's child: it is dead on return, and off the table as soon as the master looks.
        eventually("all is as before", Duration::from_secs(1), || {
            now() == before
        });
    }
    assert_eq!(outcome(&mut run(&["/nothing"])).0, 127);
    eventually("all is as before", Duration::from_secs(1), || {
        now() == before
    });
}

const STRAYS: &str = "sleep 1000 & setsid sleep 1000 & (trap '' TERM HUP INT; sleep 1000) & exit 3";

fn background_processes_are_gone_on_return() {
    let before = before();
    assert_eq!(
        outcome(&mut run(&["sh", "-c", STRAYS])),
        (3, String::new(), String::new())
    );
    assert_eq!(now(), before);
}

fn background_processes_are_gone_on_an_old_kernel() {
    rocker_testing::become_old_kernel();
    let before = before();
    assert_eq!(
        outcome(&mut run(&["sh", "-c", STRAYS])),
        (3, String::new(), String::new())
    );
    assert_eq!(now(), before);
    let _master = Master::start();
    let before = now();
    assert_eq!(
        outcome(&mut run(&["sh", "-c", STRAYS])),
        (3, String::new(), String::new())
    );
    assert_eq!(now(), before);
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

fn two_at_once_do_not_disturb_each_other() {
    let before = before();
    let children: Vec<Child> = (0..6)
        .map(|_| {
            run(&[
                "sh",
                "-c",
                "cat $ROCKER_EXEC_DIR/hello > /etc/own; cat /etc/own; read line",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
        })
        .collect();
    for child in children {
        let pid = child.id();
        // Its standard input ends here, and so does the App.
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "hello from the package\n",
            "{pid}"
        );
    }
    assert_eq!(now(), before);
}

fn a_stale_socket_is_no_master() {
    before();
    drop(UnixListener::bind("/run/rocker/master.sock").unwrap());
    let before = now();
    assert_eq!(
        outcome(&mut run(&["echo", "fine"])),
        (0, "fine\n".into(), String::new())
    );
    assert_eq!(now(), before);
}

fn a_command_with_older_children_does_not_wait_for_them() {
    before();
    let command = run(&["/nothing"]);
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_str().unwrap())
        .collect();
    let script = format!(
        "sleep 1000 >/dev/null 2>&1 & echo $!; exec {}",
        words.join(" ")
    );
    let start = Instant::now();
    let (status, stdout, _) = outcome(std::process::Command::new("sh").args(["-c", &script]));
    assert_eq!(status, 127);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    kill(stdout.trim().parse().unwrap(), libc::SIGKILL);
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
