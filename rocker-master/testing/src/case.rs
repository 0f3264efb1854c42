//! `Case`: one test as a process of its own.

use crate::files::mount;
use crate::filter::become_old_kernel;
use crate::patience;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use std::io::Error;
use std::process::{Command, ExitCode};

/// A name that says what must hold, and the function that tries it. It fails by panicking.
pub type Case = (&'static str, fn());

/// The variable that carries the name of the case to the process that runs it.
const CASE: &str = "ROCKER_TEST_CASE";
/// With this, a test that cannot run fails. CI sets it.
const MUST_RUN: &str = "ROCKER_MUST_RUN";
/// With `4.9`, every case runs as on that kernel, and none on this one.
const KERNEL: &str = "ROCKER_TEST_KERNEL";

/// What the name of a case ends in if it runs as on Linux 4.9.
const OLD_KERNEL: &str = "@4.9";

/// Runs the cases: the `main` of a test with `harness = false`. Options and output are those of libtest.
pub fn run_cases(cases: &'static [Case]) -> ExitCode {
    run(cases, kernels_to_run(&[""]), |_| {})
}

/// The same on this kernel, whatever the environment says: cases that make an older one of it, or are about what Linux 4.9
/// has not got.
pub fn run_cases_on_this_kernel(cases: &'static [Case]) -> ExitCode {
    run(cases, &[""], |_| {})
}

/// The same, and says how many were tried and how many passed.
pub fn run_attacks(cases: &'static [Case]) -> ExitCode {
    run(cases, kernels_to_run(&[""]), |done| {
        let tried = done.num_passed + done.num_failed;
        println!("{tried} attacks tried, {} held", done.num_passed);
    })
}

/// The same, each case twice: on this kernel, and with every call refused that Linux 4.9 has not got.
pub fn run_cases_on_both_kernels(cases: &'static [Case]) -> ExitCode {
    run(cases, kernels_to_run(&["", OLD_KERNEL]), |_| {})
}

fn run(
    cases: &'static [Case],
    kernels: &'static [&'static str],
    tell: fn(&Conclusion),
) -> ExitCode {
    if let Ok(name) = std::env::var(CASE) {
        return run_one(cases, &name);
    }
    let skipped = reason_to_skip();
    let must_run = std::env::var_os(MUST_RUN).is_some();
    let name_on = |kernel| cases.iter().map(move |(name, _)| format!("{name}{kernel}"));
    let trials: Vec<Trial> = kernels
        .iter()
        .flat_map(name_on)
        .map(|name| {
            Trial::test(name.clone(), move || match skipped {
                None => in_own_process(&name),
                Some(reason) => Err(reason.into()),
            })
            .with_ignored_flag(skipped.is_some() && !must_run)
        })
        .collect();
    let mut arguments = Arguments::from_args();
    // Cases use the machine's loop devices and look at what is left of them: one at a time.
    arguments.test_threads.get_or_insert(1);
    if let (Some(reason), false) = (skipped, must_run) {
        println!("SKIP {} tests: {reason}", trials.len());
    }
    let is_list = arguments.list;
    let done = libtest_mimic::run(&arguments, trials);
    if !is_list {
        tell(&done);
    }
    done.exit_code()
}

fn kernels_to_run(usual: &'static [&'static str]) -> &'static [&'static str] {
    match std::env::var(KERNEL).as_deref() {
        Err(_) => usual,
        Ok("4.9") => &[OLD_KERNEL],
        Ok(other) => panic!("{KERNEL}={other}: 4.9 is the only one"),
    }
}

fn reason_to_skip() -> Option<&'static str> {
    // SAFETY: no argument, no effect.
    (unsafe { libc::geteuid() } != 0).then_some("needs root")
}

fn in_own_process(name: &str) -> Result<(), Failed> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(this)
        .env(CASE, name)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{stdout}{stderr}", output.status).into())
}

fn run_one(cases: &[Case], name: &str) -> ExitCode {
    let new_name = name.strip_suffix(OLD_KERNEL);
    let wanted = new_name.unwrap_or(name);
    let Some((_, case)) = cases.iter().find(|(known, _)| *known == wanted) else {
        eprintln!("no case {name}");
        return ExitCode::FAILURE;
    };
    // SAFETY: nothing but integers.
    check(
        unsafe { libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWPID) },
        "unshare",
    );
    // SAFETY: the process has one thread, so the child may do what it likes.
    match check(unsafe { libc::fork() }, "fork") {
        0 => {
            isolate();
            if new_name.is_some() {
                become_old_kernel();
            }
            case();
            ExitCode::SUCCESS
        }
        child => exit_code_of(child),
    }
}

/// The outer process has nothing to do but wait: when the child ends, so does everything in its pid namespace.
fn exit_code_of(child: i32) -> ExitCode {
    let mut status = 0;
    // SAFETY: the status is written to our variable.
    check(
        unsafe { libc::waitpid(child, &raw mut status, 0) },
        "waitpid",
    );
    if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("the case ended with wait status {status:#x}");
    ExitCode::FAILURE
}

/// Private mounts, a `/proc` of this pid namespace, and an empty `/run`.
fn isolate() {
    // A test that hangs must not hang the suite; the kernel then ends everything in the pid namespace.
    // SAFETY: integers only.
    unsafe { libc::alarm(120 * patience()) };
    // PID 1 ignores what it has no handler for, SIGALRM too, so it needs one.
    // SAFETY: the handler only ends the process.
    unsafe { libc::signal(libc::SIGALRM, timed_out as *const () as libc::sighandler_t) };
    mount("none", "/", "", libc::MS_REC | libc::MS_PRIVATE, "").unwrap();
    mount(
        "proc",
        "/proc",
        "proc",
        libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
        "",
    )
    .unwrap();
    mount("tmpfs", "/run", "tmpfs", 0, "mode=755").unwrap();
}

extern "C" fn timed_out(_: i32) {
    let text = "timed out\n";
    // SAFETY: write and _exit may be called from a handler (signal-safety(7)).
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
    // SAFETY: as above.
    unsafe { libc::_exit(124) };
}

fn check(value: i32, what: &str) -> i32 {
    assert!(value >= 0, "{what}: {}", Error::last_os_error());
    value
}
