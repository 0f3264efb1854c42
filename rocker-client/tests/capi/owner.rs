//! AppMasters that are not root: the same programs, as uid 1000.

use crate::compile::{C, Link, MUSL, compile, expect_success, skip};
use rocker_testing::{Master, request};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const POLICY: &str = "
socket-mode 0666
[peer uid=1000]
package-dir /run/app.sqfs
exec-dir /run/exec
data-dir /run/data
overlay-dir /etc
app-uid 1000
app-gid 1000
sandboxes 64
launches 64
";

fn run(program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    expect_success(command.args(arguments).uid(1000).gid(1000))
}

/// Runs these cases of a program, one after the other, with one master.
fn cases(source: &str, link: Link, cases: &[(&[&str], &str)]) {
    let program = compile(C, source, link);
    let _master = Master::start_with_policy(POLICY);
    request();
    for (arguments, output) in cases {
        assert_eq!(run(&program, arguments), *output, "{arguments:?}");
    }
}

pub fn app_is_a_child_like_any_other() {
    cases(
        "life.c",
        Link::Shared,
        &[
            (&["death", "9"], "137\n"),
            (&["unheard", "0"], "unheard\n"),
            (&["storm", "5"], "storm\n"),
            (&["buffers", "0"], "buffered\nafter\natexit\n"),
            (&["guard_name", "0"], "guard_name\n"),
        ],
    );
}

pub fn many_launches_leave_the_host_as_it_was() {
    cases(
        "life.c",
        Link::Archive,
        &[(&["unchanged", "0"], "unchanged\n")],
    );
}

pub fn program_is_launched_as_by_root() {
    cases(
        "program.c",
        Link::Archive,
        &[
            (&["identity"], "ok\n"),
            (&["environment"], "ok\n"),
            // The App says so too.
            (&["signals"], "ok\nok\n"),
            (&["pidfds"], "ok\n"),
            (&["dumpable"], "ok\n"),
        ],
    );
}

pub fn threads_may_launch() {
    cases(
        "threads.c",
        Link::Archive,
        &[(&["enter"], "ok\n"), (&["mixed"], "ok\n")],
    );
}

/// Whose libc notes a thread's id elsewhere, and sends signals by it.
pub fn app_of_musl_can_raise_a_signal() {
    if !MUSL.exists() {
        return skip("musl-gcc");
    }
    let program = compile(MUSL, "life.c", Link::Static);
    let _master = Master::start_with_policy(POLICY);
    request();
    assert_eq!(run(&program, &["death", "15"]), "143\n");
}
