//! Joining by path: a program is executed without a copy of the caller.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, Program, ask_shell, eventually, has_pidfds, is_there, request,
    run_cases_on_both_kernels, status_of, wait_for,
};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "arguments_and_environment_arrive",
        arguments_and_environment_arrive,
    ),
    ("the_program_is_looked_for", the_program_is_looked_for),
    (
        "what_cannot_be_executed_is_named",
        what_cannot_be_executed_is_named,
    ),
    ("only_kept_descriptors_arrive", only_kept_descriptors_arrive),
    (
        "a_kept_descriptor_that_is_not_open_is_refused",
        a_bad_kept_descriptor_is_refused,
    ),
    (
        "signals_start_at_their_defaults",
        signals_start_at_their_defaults,
    ),
    ("the_program_has_no_privilege", the_program_has_no_privilege),
    (
        "the_program_starts_at_the_root",
        the_program_starts_at_the_root,
    ),
    (
        "the_program_is_the_caller_s_child",
        the_program_is_the_caller_s_child,
    ),
];

fn arguments_and_environment_arrive() {
    let _master = Master::start();
    let request = request();
    let script = r#"test "$1|$#|$FOO|$BAR" = "a b|2|x y|" && test "$0" = zero && exit 42"#;
    let program = Program {
        arguments: &["/bin/sh", "-c", script, "zero", "a b", ""],
        environment: &["FOO=x y", "BAR="],
        ..Program::default()
    };
    let launched = program.launch(&request).unwrap();
    assert_eq!(wait_for(launched.app_pid), 42);
    assert_eq!(
        ask_shell(&request, "cat /run/exec/hello"),
        "hello from the package\n"
    );
}

fn exit_status(program: &Program<'_>) -> Result<i32, Failure> {
    let launched = program.launch(&request())?;
    Ok(wait_for(launched.app_pid))
}

fn the_program_is_looked_for() {
    let _master = Master::start();
    fs::create_dir("/run/first").unwrap();
    fs::write("/run/first/true", "not executable").unwrap();
    let found = Program {
        arguments: &["true"],
        search: Some(c"/nowhere:/run/first:/etc/passwd:/bin:/usr/bin"),
        ..Program::default()
    };
    assert_eq!(exit_status(&found), Ok(0));
    // A name with a slash is a path, and a relative one starts at the root.
    let relative = Program {
        arguments: &["bin/true"],
        ..found
    };
    assert_eq!(exit_status(&relative), Ok(0));
    let not_there = Program {
        arguments: &["no-such-program"],
        ..found
    };
    assert_eq!(
        exit_status(&not_there),
        Err(Failure::new(Stage::EXEC, libc::ENOENT))
    );
    // What is there but cannot be executed counts if nothing else is found.
    let forbidden = Program {
        search: Some(c"/nowhere:/run/first:/run"),
        ..found
    };
    assert_eq!(
        exit_status(&forbidden),
        Err(Failure::new(Stage::EXEC, libc::EACCES))
    );
}

fn what_cannot_be_executed_is_named() {
    let _master = Master::start();
    let executable = |path: &str, content: &str| {
        fs::write(path, content).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    executable("/run/garbage", "garbage");
    executable("/run/no-interpreter", "#!/no/such/interpreter\n");
    fs::write("/run/plain", "#!/bin/sh\n").unwrap();
    let rows = [
        ("/run/missing", libc::ENOENT),
        ("/run/no-interpreter", libc::ENOENT),
        ("/run/plain", libc::EACCES),
        ("/run", libc::EACCES),
        ("/run/garbage", libc::ENOEXEC),
        ("/run/garbage/below", libc::ENOTDIR),
        ("", libc::ENOENT),
    ];
    for (path, errno) in rows {
        let program = Program {
            arguments: &[path],
            ..Program::default()
        };
        assert_eq!(
            exit_status(&program),
            Err(Failure::new(Stage::EXEC, errno)),
            "{path}"
        );
    }
}

fn only_kept_descriptors_arrive() {
    let _master = Master::start();
    let request = request();
    // The caller has forgotten close-on-exec two hundred times.
    for _ in 0..200 {
        let file = File::open("/run").unwrap();
        // SAFETY: integers only: a copy without close-on-exec, left open on purpose.
        assert!(unsafe { libc::dup(file.as_raw_fd()) } > 0);
    }
    let seen = ask_shell(&request, "cd /proc/self/fd; echo *");
    // The shell's own directory listing is 3.
    assert_eq!(seen.trim_end(), "0 1 2 3");
}

fn a_bad_kept_descriptor_is_refused() {
    let _master = Master::start();
    let program = Program {
        arguments: &["/bin/true"],
        keep: &[777],
        ..Program::default()
    };
    assert_eq!(
        exit_status(&program),
        Err(Failure::new(Stage::ARGUMENT, libc::EBADF))
    );
}

fn signals_start_at_their_defaults() {
    let _master = Master::start();
    let request = request();
    for signal in [libc::SIGCHLD, libc::SIGPIPE, libc::SIGINT, libc::SIGRTMAX()] {
        // SAFETY: no handler is called.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    let program = Program {
        arguments: &["/bin/sleep", "100"],
        ..Program::default()
    };
    let launched = program.launch(&request).unwrap();
    let (ignored, blocked) = (
        status_of(launched.app_pid, "SigIgn"),
        status_of(launched.app_pid, "SigBlk"),
    );
    rocker_testing::kill(launched.app_pid, libc::SIGKILL);
    rocker_testing::wait_for_guard(&launched);
    // The case waits for its master.
    // SAFETY: no handler is called.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    assert_eq!(ignored, "0000000000000000");
    assert_eq!(
        blocked,
        status_of(std::process::id().cast_signed(), "SigBlk")
    );
}

fn the_program_has_no_privilege() {
    let groups: [libc::gid_t; 2] = [0, 4];
    // SAFETY: the kernel reads as many groups as the array has.
    assert_eq!(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }, 0);
    let _master = Master::start();
    let status = ask_shell(&request(), "cat /proc/self/status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(field("Uid:"), "1000 1000 1000 1000");
    assert_eq!(field("Gid:"), "1000 1000 1000 1000");
    assert_eq!(field("Groups:"), "");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(set), "0000000000000000", "{set}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
}

fn the_program_starts_at_the_root() {
    std::env::set_current_dir("/usr").unwrap();
    let _master = Master::start();
    assert_eq!(ask_shell(&request(), "pwd -P"), "/\n");
    assert_eq!(std::env::current_dir().unwrap().to_str(), Some("/usr"));
}

fn the_program_is_the_caller_s_child() {
    let _master = Master::start();
    let program = Program {
        arguments: &["/bin/sleep", "100"],
        ..Program::default()
    };
    let launched = program.launch(&request()).unwrap();
    let me = std::process::id().to_string();
    assert_eq!(status_of(launched.app_pid, "PPid"), me);
    assert_eq!(launched.app_pidfd.is_some(), has_pidfds());
    assert_eq!(launched.guard_pidfd.is_some(), has_pidfds());
    rocker_testing::kill(launched.app_pid, libc::SIGTERM);
    assert_eq!(wait_for(launched.app_pid), 128 + libc::SIGTERM);
    eventually("the guard has ended", Duration::from_secs(1), || {
        !is_there(launched.guard_pid)
    });
}
