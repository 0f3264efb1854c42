//! `rocker run`: exit statuses, standard streams, and which master it takes.

mod support;

use rocker_testing::{Case, Master, eventually, make_dir, run_cases};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use support::{outcome, rocker, run};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "the_exit_status_is_the_commands",
        the_exit_status_is_the_commands,
    ),
    (
        "a_signal_is_128_and_its_number",
        a_signal_is_128_and_its_number,
    ),
    ("what_is_not_there_is_127", what_is_not_there_is_127),
    (
        "what_cannot_be_executed_is_126",
        what_cannot_be_executed_is_126,
    ),
    (
        "a_sandbox_that_cannot_be_made_is_125",
        a_sandbox_that_cannot_be_made_is_125,
    ),
    (
        "standard_streams_pass_through",
        standard_streams_pass_through,
    ),
    (
        "a_megabyte_passes_through_unchanged",
        a_megabyte_passes_through_unchanged,
    ),
    (
        "closed_standard_streams_do_no_harm",
        closed_standard_streams_do_no_harm,
    ),
    (
        "a_command_without_a_slash_is_looked_up_inside",
        a_command_without_a_slash_is_looked_up_inside,
    ),
    ("a_master_that_runs_is_used", a_master_that_runs_is_used),
    (
        "a_user_whom_the_policy_names_may_run",
        a_user_whom_the_policy_names_may_run,
    ),
    ("the_socket_may_be_elsewhere", the_socket_may_be_elsewhere),
    (
        "help_and_version_go_to_standard_output",
        help_and_version_go_to_standard_output,
    ),
];

fn the_exit_status_is_the_commands() {
    for status in [0, 1, 7, 125, 126, 127, 200, 255] {
        let (got, _, stderr) = outcome(run(&["sh", "-c"]).arg(format!("exit {status}")));
        assert_eq!((got, stderr.as_str()), (status, ""));
    }
}

fn a_signal_is_128_and_its_number() {
    for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGSEGV, libc::SIGUSR1] {
        let (status, _, stderr) = outcome(run(&["sh", "-c"]).arg(format!("kill -{signal} $$")));
        assert_eq!((status, stderr.as_str()), (128 + signal, ""));
    }
}

fn what_is_not_there_is_127() {
    let remedy = "ENOENT (no such file, or the interpreter that it names is not there)";
    for name in ["nothing-of-this-name", "/nothing/there"] {
        let (status, _, stderr) = outcome(&mut run(&[name]));
        assert_eq!(status, 127);
        assert_eq!(
            stderr,
            format!("rocker: cannot execute in the sandbox: {name}: {remedy}\n")
        );
    }
    assert_eq!(outcome(&mut run(&[""])).0, 127);
    // A directory of the search path that the App may not enter hides nothing.
    fs::create_dir("/run/closed").unwrap();
    fs::set_permissions("/run/closed", fs::Permissions::from_mode(0o700)).unwrap();
    let (status, _, _) = outcome(run(&["nothing-of-this-name"]).env("PATH", "/run/closed:/bin"));
    assert_eq!(status, 127);
}

fn what_cannot_be_executed_is_126() {
    let (status, _, stderr) = outcome(&mut run(&["/etc/passwd"]));
    assert_eq!(status, 126);
    let remedy = "EACCES (not an executable file for the App's user)";
    assert_eq!(
        stderr,
        format!("rocker: cannot execute in the sandbox: /etc/passwd: {remedy}\n")
    );
    fs::write("/run/text", "no program\n").unwrap();
    fs::set_permissions("/run/text", fs::Permissions::from_mode(0o755)).unwrap();
    let (status, _, stderr) = outcome(&mut run(&["/run/text"]));
    assert_eq!(status, 126);
    let remedy = "ENOEXEC (not a program of this machine, nor a script with `#!`)";
    assert_eq!(
        stderr,
        format!("rocker: cannot execute in the sandbox: /run/text: {remedy}\n")
    );
}

fn a_sandbox_that_cannot_be_made_is_125() {
    let (status, stdout, stderr) = outcome(&mut rocker(&["run", "/run/none.sqfs", "true"]));
    assert_eq!((status, stdout.as_str()), (125, ""));
    assert_eq!(
        stderr,
        "rocker: cannot open the package /run/none.sqfs: ENOENT (it does not exist)\n"
    );
}

fn standard_streams_pass_through() {
    let mut command = run(&["sh", "-c", "read line; echo out:$line; echo err:$line >&2"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"out:hello\n");
    assert_eq!(output.stderr, b"err:hello\n");
}

fn a_megabyte_passes_through_unchanged() {
    let sent: Vec<u8> = (0..1_000_003u32).map(|at| (at % 251) as u8).collect();
    let mut command = run(&["cat"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let copy = sent.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&copy).unwrap());
    let mut got = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut got).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(got == sent, "{} bytes came", got.len());
}

fn closed_standard_streams_do_no_harm() {
    let shell = |redirection: &str| {
        let command = run(&["sh", "-c", "exit 5"]);
        let words: Vec<_> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        outcome(
            std::process::Command::new("sh")
                .args(["-c", &format!("{} {redirection}", words.join(" "))]),
        )
        .0
    };
    for redirection in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        assert_eq!(shell(redirection), 5, "{redirection}");
    }
}

fn a_command_without_a_slash_is_looked_up_inside() {
    // Only the sandbox has the package.
    let mut command = run(&["tool"]);
    fs::write("/run/app.tree/tool", "#!/bin/sh\necho found\n").unwrap();
    fs::set_permissions("/run/app.tree/tool", fs::Permissions::from_mode(0o755)).unwrap();
    rocker_testing::package_of(
        Path::new("/run/app.tree"),
        Path::new("/run/app.sqfs"),
        |_| {},
    );
    let (status, stdout, stderr) = outcome(command.env("PATH", "/nowhere:/run/rocker/app"));
    assert_eq!(
        (status, stdout.as_str(), stderr.as_str()),
        (0, "found\n", "")
    );
}

/// Waits for the master's word on packages that are not there: the guard tells the client and the master at once.
fn logged(master: &Master, count: usize) {
    eventually("the master logs it", Duration::from_secs(1), || {
        master.log().matches("open-package").count() == count
    });
}

fn a_master_that_runs_is_used() {
    let master = Master::start();
    let got = outcome(&mut run(&["echo", "fine"]));
    assert_eq!(got, (0, "fine\n".into(), String::new()));
    let (status, _, _) = outcome(&mut rocker(&["run", "/run/none.sqfs", "true"]));
    assert_eq!(status, 125);
    logged(&master, 1);
}

/// By the master that serves: a user cannot start one.
fn a_user_whom_the_policy_names_may_run() {
    for dir in ["/run/exec", "/run/data"] {
        make_dir(dir, 0o755);
    }
    let policy = "
socket-mode 0666
[peer uid=1000]
package-dir /run/app.sqfs
exec-dir /run/exec
data-dir /run/data
overlay-dir /etc
app-uid 2000
app-gid 2000
";
    let arguments = [
        "--uid=2000",
        "--gid=2000",
        "--exec-dir=/run/exec",
        "--data-dir=/run/data",
        "--overlay=/etc",
        "--",
        "sh",
        "-c",
        "id -u; id -g; touch /etc/mine && exit 9",
    ];
    let by_user = |uid: u32| outcome(run(&arguments).uid(uid).gid(uid));
    let (status, _, stderr) = by_user(1000);
    assert_eq!((status, stderr.is_empty()), (125, false), "no master");

    let _master = Master::start_with_policy(policy);
    assert_eq!(by_user(1000), (9, "2000\n2000\n".into(), String::new()));
    let (status, stdout, _) = by_user(1001);
    assert_eq!((status, stdout.as_str()), (125, ""), "not named");
}

fn the_socket_may_be_elsewhere() {
    let master = Master::start();
    fs::rename("/run/rocker/master.sock", "/run/other.sock").unwrap();
    let by_option = outcome(&mut rocker(&[
        "run",
        "/run/none.sqfs",
        "--socket",
        "/run/other.sock",
        "true",
    ]));
    let by_variable =
        outcome(rocker(&["run", "/run/none.sqfs", "true"]).env("ROCKER_SOCKET", "/run/other.sock"));
    assert_eq!((by_option.0, by_variable.0), (125, 125));
    logged(&master, 2);
}

fn help_and_version_go_to_standard_output() {
    let (status, help, stderr) = outcome(&mut rocker(&["--help"]));
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert!(
        help.starts_with("rocker: run Apps") && help.lines().all(|line| line.len() <= 88),
        "{help}"
    );
    for arguments in [
        &["-h"][..],
        &["help"],
        &["run", "--help"],
        &["run", "x.sqfs", "-h"],
        &["check", "--help"],
    ] {
        assert_eq!(
            outcome(&mut rocker(arguments)),
            (0, help.clone(), String::new()),
            "{arguments:?}"
        );
    }
    let version = concat!("rocker ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(
        outcome(&mut rocker(&["--version"])),
        (0, version.into(), String::new())
    );
}
