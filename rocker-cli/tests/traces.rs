//! What is left after a run: no process, mount, loop device or file.

mod support;

use rocker_testing::{Case, Master, assert_within, eventually, kill, run_cases_on_both_kernels};
use std::os::unix::net::UnixListener;
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{before, now, outcome, run};

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
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
        "background_processes_are_gone_with_a_master_that_runs",
        background_processes_are_gone_with_a_master_that_runs,
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
];

const STRAYS: &str = "sleep 1000 & setsid sleep 1000 & (trap '' TERM HUP INT; sleep 1000) & exit 3";

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

fn background_processes_are_gone_on_return() {
    let before = before();
    assert_eq!(
        outcome(&mut run(&["sh", "-c", STRAYS])),
        (3, String::new(), String::new())
    );
    assert_eq!(now(), before);
}

fn background_processes_are_gone_with_a_master_that_runs() {
    before();
    let _master = Master::start();
    let before = now();
    assert_eq!(
        outcome(&mut run(&["sh", "-c", STRAYS])),
        (3, String::new(), String::new())
    );
    eventually("the guard is off the table", Duration::from_secs(1), || {
        now() == before
    });
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
    assert_within(Duration::from_secs(1), start, "a command that fails");
    kill(stdout.trim().parse().unwrap(), libc::SIGKILL);
}
