//! Signals: sent to the command by processes, and by a real terminal to a job of a real shell.

mod support;
mod terminal;

use rocker_testing::{Case, children_of, eventually, kill, run_cases, status_of};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, ExitCode, Stdio};
use std::time::Duration;
use support::{outcome, run};
use terminal::Terminal;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "a_signal_to_the_command_reaches_the_app",
        a_signal_to_the_command_reaches_the_app,
    ),
    (
        "an_app_that_handles_sigterm_decides_when_it_ends",
        an_app_that_handles_sigterm_decides_when_it_ends,
    ),
    (
        "a_signal_in_the_middle_of_a_launch_is_not_lost",
        a_signal_in_the_middle_of_a_launch_is_not_lost,
    ),
    (
        "a_stopped_app_without_a_shell_does_not_stop_the_command",
        a_stopped_app_without_a_shell_does_not_stop_the_command,
    ),
    (
        "an_inherited_disregard_for_children_does_no_harm",
        an_inherited_disregard_for_children_does_no_harm,
    ),
    ("ctrl_c_interrupts_the_app", ctrl_c_interrupts_the_app),
    ("ctrl_backslash_quits_the_app", ctrl_backslash_quits_the_app),
    (
        "an_app_that_handles_ctrl_c_goes_on",
        an_app_that_handles_ctrl_c_goes_on,
    ),
    (
        "ctrl_z_stops_the_job_and_fg_continues_it",
        ctrl_z_stops_the_job_and_fg_continues_it,
    ),
    (
        "an_app_that_stops_itself_stops_the_job",
        an_app_that_stops_itself_stops_the_job,
    ),
    (
        "an_app_that_ignores_ctrl_z_goes_on",
        an_app_that_ignores_ctrl_z_goes_on,
    ),
    (
        "a_job_in_the_background_stops_to_read",
        a_job_in_the_background_stops_to_read,
    ),
    ("a_new_size_reaches_the_app", a_new_size_reaches_the_app),
    (
        "a_terminal_that_hangs_up_ends_the_app",
        a_terminal_that_hangs_up_ends_the_app,
    ),
];

/// A command whose App says `ready` when its traps are set.
fn started(script: &str) -> (Child, BufReader<ChildStdout>) {
    let mut command = run(&["sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut stdout), "ready");
    (child, stdout)
}

fn line(stdout: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// dash blocks signals while it starts a program, and may lose one then: what waits here has started before it says `ready`,
/// or takes the place of the shell. A loop that any trap gets into at once: `wait` ends when a signal comes.
const IDLE: &str = "echo ready; sleep 1000 & while :; do wait; done";

fn a_signal_to_the_command_reaches_the_app() {
    for signal in [
        "HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT", "TSTP",
    ] {
        let script = format!("trap 'echo got {signal}; exit 9' {signal}; {IDLE}");
        let (mut child, mut stdout) = started(&script);
        let number = match signal {
            "HUP" => libc::SIGHUP,
            "INT" => libc::SIGINT,
            "QUIT" => libc::SIGQUIT,
            "TERM" => libc::SIGTERM,
            "USR1" => libc::SIGUSR1,
            "USR2" => libc::SIGUSR2,
            "WINCH" => libc::SIGWINCH,
            "CONT" => libc::SIGCONT,
            _ => libc::SIGTSTP,
        };
        kill(child.id().cast_signed(), number);
        assert_eq!(line(&mut stdout), format!("got {signal}"));
        assert_eq!(child.wait().unwrap().code(), Some(9));
    }
}

fn an_app_that_handles_sigterm_decides_when_it_ends() {
    let (mut child, mut stdout) = started(&format!(
        "trap 'echo still here' TERM; trap 'exit 4' INT; {IDLE}"
    ));
    for _ in 0..3 {
        kill(child.id().cast_signed(), libc::SIGTERM);
        assert_eq!(line(&mut stdout), "still here");
    }
    kill(child.id().cast_signed(), libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

fn a_signal_in_the_middle_of_a_launch_is_not_lost() {
    for delay in (0..40).map(|step| Duration::from_micros(step * 500)) {
        let mut child = run(&["sleep", "1000"]).spawn().unwrap();
        let pid = child.id().cast_signed();
        // Until it takes signals at all, one ends it as any program.
        eventually("signals are taken", Duration::from_secs(1), || {
            status_of(pid, "SigBlk") != "0000000000000000"
        });
        let start = std::time::Instant::now();
        while start.elapsed() < delay {
            std::hint::spin_loop();
        }
        kill(pid, libc::SIGTERM);
        assert_eq!(
            child.wait().unwrap().code(),
            Some(128 + libc::SIGTERM),
            "{delay:?}"
        );
    }
}

fn own_session() -> std::io::Result<()> {
    // SAFETY: no argument.
    match unsafe { libc::setsid() } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn a_stopped_app_without_a_shell_does_not_stop_the_command() {
    let mut command = run(&["sh", "-c", IDLE]);
    // A session of its own, as under an init: its process group is nobody's job.
    // SAFETY: `own_session` makes one system call, which may be made between fork and exec.
    unsafe { command.pre_exec(own_session) };
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(
        line(&mut BufReader::new(child.stdout.take().unwrap())),
        "ready"
    );
    let pid = child.id().cast_signed();
    let app = children_of(pid)
        .into_iter()
        .find(|pid| status_of(*pid, "Name") == "sh")
        .unwrap();
    kill(app, libc::SIGSTOP);
    eventually("the App stops", Duration::from_secs(1), || {
        status_of(app, "State").starts_with('T')
    });
    kill(app, libc::SIGCONT);
    kill(app, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + libc::SIGTERM));
}

fn an_inherited_disregard_for_children_does_no_harm() {
    let command = run(&["false"]);
    let words = command.get_args().map(|word| word.to_str().unwrap());
    let words: Vec<_> = words.collect();
    let rocker = command.get_program().to_str().unwrap();
    // bash, since other shells keep SIGCHLD for themselves.
    let script = format!("trap '' CHLD; exec {rocker} {}", words.join(" "));
    let got = outcome(std::process::Command::new("bash").args(["-c", &script]));
    assert_eq!(got, (1, String::new(), String::new()));
}

fn ctrl_c_interrupts_the_app() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app("echo ready; exec sleep 1000");
    terminal.expect("ready");
    terminal.press(3);
    terminal.type_line("echo status=$?");
    terminal.expect("status=130");
}

fn ctrl_backslash_quits_the_app() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app("ulimit -c 0; echo ready; exec sleep 1000");
    terminal.expect("ready");
    terminal.press(28);
    terminal.type_line("echo status=$?");
    terminal.expect("status=131");
}

fn an_app_that_handles_ctrl_c_goes_on() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app("n=0; trap \"n=\\$((n+1)); echo got \\$n\" INT; sleep 1000 & echo ready; while :; do wait; done");
    terminal.expect("ready");
    for count in 1..=3 {
        terminal.press(3);
        // Each once: what the terminal sends to both is not handed on.
        terminal.expect(&format!("got {count}\r\n"));
    }
    terminal.press(28);
    terminal.type_line("echo status=$?");
    assert!(!terminal.expect("status=131").contains("got"));
}

fn ctrl_z_stops_the_job_and_fg_continues_it() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app("echo ready; read line; echo got:$line; exit 6");
    terminal.expect("ready");
    for _ in 0..3 {
        terminal.wait_for_job();
        terminal.press(26);
        terminal.expect("Stopped");
        terminal.type_line("jobs -l; echo here=$?");
        terminal.expect("Stopped");
        terminal.expect("here=0");
        terminal.type_line("fg >/dev/null; echo status=$?");
    }
    terminal.type_line("words");
    terminal.expect("got:words");
    terminal.expect("status=6");
}

fn an_app_that_stops_itself_stops_the_job() {
    for signal in ["TSTP", "STOP"] {
        let mut terminal = Terminal::with_shell();
        terminal.run_app(&format!("kill -{signal} $$; echo again; exit 6"));
        terminal.expect("Stopped");
        terminal.type_line("fg >/dev/null; echo status=$?");
        terminal.expect("again");
        terminal.expect("status=6");
    }
}

fn an_app_that_ignores_ctrl_z_goes_on() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app("trap \"\" TSTP; echo ready; read line; echo got:$line");
    terminal.expect("ready");
    terminal.press(26);
    terminal.type_line("words");
    terminal.expect("got:words");
}

fn a_job_in_the_background_stops_to_read() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app_with("read line; echo got:$line; exit 6", "&");
    terminal.type_line("");
    eventually("the job stops", Duration::from_secs(5), || {
        terminal.type_line("jobs");
        terminal.read_what_comes().contains("Stopped")
    });
    terminal.type_line("fg >/dev/null; echo status=$?");
    terminal.type_line("words");
    terminal.expect("got:words");
    terminal.expect("status=6");
}

fn a_new_size_reaches_the_app() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app(
        "trap \"stty size; exit 8\" WINCH; sleep 1000 & echo ready; while :; do wait; done",
    );
    terminal.expect("ready");
    terminal.resize(33, 111);
    terminal.expect("33 111");
    terminal.type_line("echo status=$?");
    terminal.expect("status=8");
}

fn a_terminal_that_hangs_up_ends_the_app() {
    let mut terminal = Terminal::with_shell();
    terminal.run_app("echo ready; exec sleep 1000");
    terminal.expect("ready");
    let shell = terminal.shell();
    let command = children_of(shell)[0];
    terminal.hang_up();
    // All of them are this case's children in the end, as PID 1.
    eventually("the command has ended", Duration::from_secs(5), || {
        // SAFETY: a null status is not written.
        while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
        !rocker_testing::is_there(command)
    });
    assert!(!std::path::Path::new(&format!("/run/rocker/data.{command}")).exists());
}
