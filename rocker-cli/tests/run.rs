//! `rocker run`: exit statuses, standard streams, environment, identity, and where changes go.

mod support;

use rocker_testing::{Case, Master, run_cases};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
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
        "the_environment_is_the_commands",
        the_environment_is_the_commands,
    ),
    (
        "too_many_variables_are_refused",
        too_many_variables_are_refused,
    ),
    (
        "the_package_is_at_rocker_exec_dir",
        the_package_is_at_rocker_exec_dir,
    ),
    (
        "the_app_is_nobody_without_privileges",
        the_app_is_nobody_without_privileges,
    ),
    (
        "uid_and_gid_are_the_given_ones_on_the_host_too",
        uid_and_gid_are_the_given_ones_on_the_host_too,
    ),
    (
        "the_app_has_no_descriptor_but_the_standard_ones",
        the_app_has_no_descriptor_but_the_standard_ones,
    ),
    (
        "every_signal_is_as_the_caller_had_it",
        every_signal_is_as_the_caller_had_it,
    ),
    (
        "without_a_data_dir_changes_are_thrown_away",
        without_a_data_dir_changes_are_thrown_away,
    ),
    ("a_data_dir_keeps_changes", a_data_dir_keeps_changes),
    (
        "only_named_directories_are_overlaid",
        only_named_directories_are_overlaid,
    ),
    ("sixteen_overlays_work", sixteen_overlays_work),
    (
        "relative_paths_start_at_the_current_directory",
        relative_paths_start_at_the_current_directory,
    ),
    (
        "a_command_without_a_slash_is_looked_up_inside",
        a_command_without_a_slash_is_looked_up_inside,
    ),
    ("a_master_that_runs_is_used", a_master_that_runs_is_used),
    ("the_socket_may_be_elsewhere", the_socket_may_be_elsewhere),
    (
        "help_and_version_go_to_standard_output",
        help_and_version_go_to_standard_output,
    ),
];

/// What a shell script prints in a sandbox; it must succeed without a word on standard error.
fn script(options: &[&str], text: &str) -> String {
    let mut command = run(options);
    command.args(["--", "sh", "-c", text]);
    let (status, stdout, stderr) = outcome(&mut command);
    assert_eq!((status, stderr.as_str()), (0, ""), "{text}");
    stdout
}

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
    for name in ["nothing-of-this-name", "/nothing/there", ""] {
        let (status, _, stderr) = outcome(&mut run(&[name]));
        assert_eq!(status, 127);
        assert_eq!(
            stderr,
            format!("rocker: cannot execute in the sandbox: {name}: {remedy}\n")
        );
    }
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

fn the_environment_is_the_commands() {
    let mut command = run(&["env"]);
    command
        .env("ONE", "1 and\nmore")
        .env("ROCKER_EXEC_DIR", "/wrong");
    let (_, stdout, _) = outcome(&mut command);
    assert_eq!(
        stdout,
        "ONE=1 and\nmore\nPATH=/usr/bin:/bin\nROCKER_EXEC_DIR=/run/rocker/app\n"
    );
}

fn too_many_variables_are_refused() {
    let mut command = run(&["true"]);
    command.envs((0..1021).map(|number| (format!("V{number}"), "")));
    assert_eq!(outcome(&mut command).0, 0);
    let (status, _, stderr) = outcome(command.env("ANOTHER", ""));
    assert_eq!(status, 125);
    let text =
        "too many environment variables: E2BIG (1022 are the most; run this with fewer: env -i)";
    assert_eq!(stderr, format!("rocker: {text}\n"));
}

fn the_package_is_at_rocker_exec_dir() {
    assert_eq!(
        script(&[], "cat $ROCKER_EXEC_DIR/hello"),
        "hello from the package\n"
    );
    fs::create_dir("/run/elsewhere").unwrap();
    let options = ["--exec-dir", "/run/elsewhere"];
    let text =
        "echo $ROCKER_EXEC_DIR; cat /run/elsewhere/hello; ls /run/rocker/app 2>/dev/null | wc -l";
    assert_eq!(
        script(&options, text),
        "/run/elsewhere\nhello from the package\n0\n"
    );
    assert!(fs::read_dir("/run/elsewhere").unwrap().next().is_none());
}

fn the_app_is_nobody_without_privileges() {
    let text = "id -u; id -g; id -G; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status";
    let none = "0000000000000000";
    let expected =
        format!("65534\n65534\n65534\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\n");
    assert_eq!(script(&[], text), expected);
}

fn uid_and_gid_are_the_given_ones_on_the_host_too() {
    let mut command = run(&[
        "--uid",
        "1234",
        "--gid",
        "4321",
        "sh",
        "-c",
        "id -u; id -g; read line",
    ]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ids = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut ids).unwrap();
    assert_eq!(&ids, b"1234\n4321\n");
    let app = rocker_testing::children_of(child.id().cast_signed())
        .into_iter()
        .find(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() == "sh\n")
        .unwrap();
    let status = fs::read_to_string(format!("/proc/{app}/status")).unwrap();
    assert!(
        status.contains("Uid:\t1234\t1234\t1234\t1234\n"),
        "{status}"
    );
    assert!(
        status.contains("Gid:\t4321\t4321\t4321\t4321\n"),
        "{status}"
    );
    drop(child.stdin.take());
    child.wait().unwrap();
}

fn the_app_has_no_descriptor_but_the_standard_ones() {
    // The fourth is of ls itself.
    assert_eq!(script(&[], "ls /proc/self/fd"), "0\n1\n2\n3\n");
}

fn every_signal_is_as_the_caller_had_it() {
    let lines = script(&[], "grep -E '^Sig(Blk|Ign)' /proc/self/status");
    assert_eq!(
        lines,
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
    );
}

fn without_a_data_dir_changes_are_thrown_away() {
    let options = ["--overlay", "/etc"];
    assert_eq!(script(&options, "echo x > /etc/new && cat /etc/new"), "x\n");
    assert_eq!(
        script(&options, "ls /etc/new 2>/dev/null || echo gone"),
        "gone\n"
    );
    assert!(!Path::new("/etc/new").exists());
    let left: Vec<_> = fs::read_dir("/run/rocker")
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["app"]);
}

fn a_data_dir_keeps_changes() {
    fs::create_dir("/run/data").unwrap();
    let options = ["--overlay", "/etc", "--data-dir", "/run/data"];
    script(&options, "echo kept > /etc/new");
    assert_eq!(script(&options, "cat /etc/new"), "kept\n");
    assert!(!Path::new("/etc/new").exists());
}

fn only_named_directories_are_overlaid() {
    let text = "for dir in etc opt; do echo x 2>/dev/null > /$dir/new && echo $dir; done; true";
    assert_eq!(script(&["--overlay", "/etc"], text), "etc\n");
    assert_eq!(script(&[], text), "etc\nopt\n");
}

fn sixteen_overlays_work() {
    let dirs: Vec<String> = (0..16).map(|number| format!("/run/dir{number}")).collect();
    let mut options = Vec::new();
    for dir in &dirs {
        fs::create_dir(dir).unwrap();
        options.extend(["--overlay", dir.as_str()]);
    }
    let counted = script(
        &options,
        "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do > /run/dir$n/x; done; ls /run/dir*/x | wc -l",
    );
    assert_eq!(counted, "16\n");
    assert!(
        dirs.iter()
            .all(|dir| fs::read_dir(dir).unwrap().next().is_none())
    );
}

fn relative_paths_start_at_the_current_directory() {
    for dir in ["/run/home/exec", "/run/home/data", "/run/home/over"] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::copy(rocker_testing::package(), "/run/home/my.sqfs").unwrap();
    let mut command = rocker(&[
        "run",
        "./my.sqfs",
        "--exec-dir=exec/",
        "--data-dir",
        ".//data",
        "--overlay",
        "./over",
    ]);
    command.args([
        "sh",
        "-c",
        "echo $ROCKER_EXEC_DIR; cat exec/hello || cat /run/home/exec/hello; > /run/home/over/new",
    ]);
    let (status, stdout, _) = outcome(command.current_dir("/run/home"));
    assert_eq!(
        (status, stdout.as_str()),
        (0, "/run/home/exec\nhello from the package\n")
    );
    assert!(fs::read_dir("/run/home/data").unwrap().next().is_some());
    assert!(fs::read_dir("/run/home/over").unwrap().next().is_none());
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

fn a_master_that_runs_is_used() {
    let master = Master::start();
    assert_eq!(script(&[], "echo fine"), "fine\n");
    let (status, _, _) = outcome(&mut rocker(&["run", "/run/none.sqfs", "true"]));
    assert_eq!(status, 125);
    assert!(master.log().contains("open-package"), "{}", master.log());
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
    assert_eq!(
        master.log().matches("open-package").count(),
        2,
        "{}",
        master.log()
    );
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
