//! `rocker exec`: what the command is, and what it sees.

mod support;

use rocker_client::{Network, Request, Seccomp};
use rocker_testing::{
    Case, Master, Program, Sandbox, become_user, children_of, eventually, has_pidfds, kill, pipe,
    request, run_cases_on_both_kernels, start_for_app_master, status_of, wait_for,
};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Command, ExitCode};
use std::time::Duration;
use support::entered::{guard_of, name_of, script};
use support::{outcome, rocker};

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("it_is_as_the_app_is", it_is_as_the_app_is),
    ("it_sees_what_the_app_sees", it_sees_what_the_app_sees),
    ("it_has_the_app_s_filter", it_has_the_app_s_filter),
    ("it_has_the_app_s_network", it_has_the_app_s_network),
    (
        "an_app_master_s_sandbox_is_entered_too",
        an_app_master_s_sandbox_is_entered_too,
    ),
    (
        "nothing_of_the_command_s_comes_along",
        nothing_of_the_command_s_comes_along,
    ),
    (
        "its_saved_uid_is_root_s_until_it_executes",
        its_saved_uid_is_root_s_until_it_executes,
    ),
];

const NAMESPACES: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

fn namespaces_of(pid: i32) -> String {
    let link = |name| {
        let link = fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
        format!("{}\n", link.display())
    };
    NAMESPACES.iter().map(link).collect()
}

/// In namespaces, ids, capabilities, everything that the kernel says of it.
fn it_is_as_the_app_is() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let links =
        "for name in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$name; done";
    assert_eq!(script(&sandbox, links), namespaces_of(sandbox.app_pid()));
    let fields = [
        "Uid",
        "Gid",
        "Groups",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
    ];
    let status = script(&sandbox, "cat /proc/self/status");
    for field in fields {
        let line = status.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name == field).then(|| value.split_whitespace().collect::<Vec<_>>().join(" "))
        });
        assert_eq!(
            line.unwrap(),
            status_of(sandbox.app_pid(), field),
            "{field}"
        );
    }
    sandbox.end();
}

fn it_sees_what_the_app_sees() {
    let _master = Master::start();
    let change = || fs::write("/etc/changed", "by the App").unwrap();
    let sandbox = Sandbox::start_with(&request(), &change).unwrap();
    assert_eq!(
        script(&sandbox, "pwd; cat /run/exec/hello /etc/changed"),
        "/\nhello from the package\nby the App"
    );
    // Its process, with the number that it has there.
    let numbers = status_of(sandbox.app_pid(), "NSpid");
    let inside = numbers.split(' ').next_back().unwrap();
    assert_eq!(
        script(&sandbox, &format!("kill -0 {inside} && echo there")),
        "there\n"
    );
    // What it changes the App sees, and the host does not.
    script(&sandbox, "echo more >/etc/also");
    let etc = format!("/proc/{}/root/etc/also", sandbox.app_pid());
    assert_eq!(fs::read_to_string(etc).unwrap(), "more\n");
    assert!(!fs::exists("/etc/also").unwrap());
    sandbox.end();
}

fn with_seccomp(seccomp: Seccomp) -> Request<'static> {
    Request {
        seccomp,
        ..request()
    }
}

fn it_has_the_app_s_filter() {
    let _master = Master::start();
    // A user namespace, which the default filter refuses; and a raw socket (AF_PACKET, SOCK_RAW), of which the kernel says
    // EPERM, and the strict filter EAFNOSUPPORT.
    let tries =
        "unshare -U true 2>/dev/null; echo $?; perl -e 'socket(my $it, 17, 3, 0); print $!+0'";
    for (seccomp, answers) in [
        (Seccomp::OFF, "0\n1"),
        (Seccomp::DEFAULT, "1\n1"),
        (Seccomp::STRICT, "1\n97"),
    ] {
        let sandbox = Sandbox::start(&with_seccomp(seccomp));
        assert_eq!(script(&sandbox, tries), answers, "{seccomp:?}");
        sandbox.end();
    }
}

fn it_has_the_app_s_network() {
    let _master = Master::start();
    let request = Request {
        network: Network::NONE,
        ..request()
    };
    let sandbox = Sandbox::start(&request);
    let devices = script(&sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1");
    assert_eq!(devices.trim(), "lo");
    sandbox.end();
}

/// By root, who did not make it.
fn an_app_master_s_sandbox_is_entered_too() {
    let (master, request) = start_for_app_master("2000");
    let (mut there, say_there) = pipe();
    let (done, mut say_done) = pipe();
    // SAFETY: the case has one thread, so the child may do what it likes.
    let app_master = unsafe { libc::fork() };
    if app_master == 0 {
        become_user(1000);
        let wait = format!("read line <&{}", done.as_raw_fd());
        let program = Program {
            arguments: &["/bin/sh", "-c", &wait],
            keep: &[done.as_raw_fd()],
            ..Program::default()
        };
        let launched = program.launch(&request).unwrap();
        (&say_there).write_all(b".").unwrap();
        // SAFETY: ends this fork without running what the case has registered.
        unsafe { libc::_exit(wait_for(launched.app_pid)) };
    }
    drop(say_there);
    there.read_exact(&mut [0]).unwrap();
    let guard = name_of(master.guards()[0]);
    let got = outcome(&mut rocker(&["exec", &guard, "id", "-u"]));
    say_done.write_all(b"\n").unwrap();
    assert_eq!(wait_for(app_master), 0);
    // Before Linux 5.3 nobody says who such a guard is.
    if has_pidfds() {
        assert_eq!(got, (0, "2000\n".into(), String::new()));
    } else {
        assert_eq!(got.0, 125);
    }
}

fn nothing_of_the_command_s_comes_along() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    // As a careless shell would hand it down.
    let leaked = OwnedFd::from(File::open("/etc/shadow").unwrap());
    // SAFETY: integers only; nothing of the case has this number, which is not close-on-exec.
    assert_eq!(unsafe { libc::dup2(leaked.as_raw_fd(), 77) }, 77);
    let listed = script(&sandbox, "ls /proc/$$/fd");
    // SAFETY: the number is this case's own.
    unsafe { libc::close(77) };
    assert_eq!(listed, "0\n1\n2\n");
    sandbox.end();
}

/// Its memory is the command's until then, and may be looked into when all of its ids are the App's.
fn its_saved_uid_is_root_s_until_it_executes() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&request());
    let mut child = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=execve", "-o", "/run/trace"])
        .args(["-e", "inject=execve:delay_enter=1000000:when=1"])
        .arg(rocker_testing::binary("rocker"))
        .args(["exec", &guard_of(&sandbox), "--", "/bin/sleep", "1000"])
        .spawn()
        .unwrap();
    let strace = child.id().cast_signed();
    let youngest = |pid: i32| children_of(pid).first().copied();
    let mut entered = 0;
    eventually("it is about to execute", Duration::from_secs(10), || {
        let pid = youngest(strace).and_then(youngest);
        entered = pid.unwrap_or_default();
        pid.is_some_and(|pid| status_of(pid, "Uid").starts_with("1000"))
    });
    assert_eq!(status_of(entered, "Uid"), "1000 1000 0 1000");
    eventually("it has executed", Duration::from_secs(10), || {
        status_of(entered, "Name") == "sleep"
    });
    assert_eq!(status_of(entered, "Uid"), "1000 1000 1000 1000");
    kill(entered, libc::SIGKILL);
    child.wait().unwrap();
    sandbox.end();
}
