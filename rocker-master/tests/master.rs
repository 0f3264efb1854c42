//! The master as a daemon: its address, its death and its successor.

use rocker_testing::{
    Case, Master, Peer, SOCKET, SOON, Sandbox, ask, binary, children_of, descriptors_of,
    eventually, is_there, kill, launch, make_dir, request, run_cases, wait_for,
};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, ExitCode};
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("socket_is_closed_to_users", socket_is_closed_to_users),
    (
        "socket_is_born_closed_whatever_the_umask",
        socket_is_born_closed,
    ),
    (
        "sigterm_takes_the_address_away",
        sigterm_takes_the_address_away,
    ),
    ("a_second_master_is_refused", a_second_master_is_refused),
    (
        "sandboxes_go_on_when_the_master_is_killed",
        sandboxes_go_on_when_the_master_is_killed,
    ),
    (
        "sandboxes_go_on_when_the_master_is_ended",
        sandboxes_go_on_when_the_master_is_ended,
    ),
    (
        "a_new_master_takes_the_address_of_a_dead_one",
        a_new_master_takes_the_address,
    ),
    (
        "a_guard_that_was_born_just_now_keeps_no_address",
        a_guard_that_was_born_just_now_keeps_no_address,
    ),
    (
        "the_master_forgets_what_has_ended",
        the_master_forgets_what_has_ended,
    ),
    ("a_user_cannot_start_a_master", a_user_cannot_start_a_master),
    ("the_socket_can_be_elsewhere", the_socket_can_be_elsewhere),
    ("a_relative_address_works", a_relative_address_works),
    (
        "systemd_is_told_when_clients_are_heard",
        systemd_is_told_when_clients_are_heard,
    ),
    (
        "a_manager_that_does_not_listen_stops_nothing",
        a_manager_that_does_not_listen_stops_nothing,
    ),
    (
        "an_honest_launch_is_not_logged",
        an_honest_launch_is_not_logged,
    ),
];

fn socket_is_closed_to_users() {
    let _master = Master::start();
    let socket = fs::symlink_metadata(SOCKET).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(
        (socket.uid(), socket.gid(), socket.mode() & 0o7777),
        (0, 0, 0o660)
    );
}

fn socket_is_born_closed() {
    // SAFETY: integers only.
    unsafe { libc::umask(0) };
    socket_is_closed_to_users();
}

fn sigterm_takes_the_address_away() {
    let mut master = Master::start();
    master.kill(libc::SIGTERM);
    assert!(!fs::exists(SOCKET).unwrap());
    let failure = launch(&request(), &|| 0).unwrap_err();
    assert_eq!(
        (failure.stage, failure.errno),
        (rocker_client::Stage::CONNECT, libc::ENOENT)
    );
}

fn a_second_master_is_refused() {
    let mut first = Master::start();
    let second = Command::new(binary("rocker-master")).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(
        said.contains("a master serves already") && said.contains("EAGAIN(11)"),
        "{said}"
    );
    assert!(first.is_alive());
    assert_eq!(wait_for(launch(&request(), &|| 5).unwrap().app_pid), 5);
}

fn survive(signal: i32) {
    let mut master = Master::start();
    let request = request();
    let sandbox = Sandbox::start(&request);
    master.kill(signal);
    let inside = format!("/proc/{}/root/run/exec/hello", sandbox.app_pid());
    assert_eq!(
        fs::read_to_string(inside).unwrap(),
        "hello from the package\n"
    );
    let _successor = Master::start();
    let mut sandbox = sandbox;
    sandbox.let_go();
    assert_eq!(wait_for(sandbox.app_pid()), 0);
    // The case is the init that inherits it.
    assert_eq!(wait_for(sandbox.guard_pid()), 0);
    assert!(!is_there(sandbox.guard_pid()));
}

fn sandboxes_go_on_when_the_master_is_killed() {
    survive(libc::SIGKILL);
}

fn sandboxes_go_on_when_the_master_is_ended() {
    survive(libc::SIGTERM);
}

fn a_new_master_takes_the_address() {
    let mut master = Master::start();
    master.kill(libc::SIGKILL);
    assert!(
        fs::exists(SOCKET).unwrap(),
        "a killed master cannot clean up"
    );
    let failure = launch(&request(), &|| 0).unwrap_err();
    let expected = (rocker_client::Stage::CONNECT, libc::ECONNREFUSED);
    assert_eq!((failure.stage, failure.errno), expected);
    let _successor = Master::start();
    assert_eq!(wait_for(launch(&request(), &|| 6).unwrap().app_pid), 6);
}

/// It has a copy of every descriptor until it closes them: here for longer than the next master waits, which is not at all.
fn a_guard_that_was_born_just_now_keeps_no_address() {
    let slow = "inject=close_range:delay_enter=1000000";
    let mut master = Master::start_traced(&["-e", "trace=close_range", "-e", slow]);
    let request = request();
    // SAFETY: the case has one thread.
    let client = unsafe { libc::fork() };
    if client == 0 {
        launch(&request, &|| 0).unwrap_err();
        // SAFETY: ends this fork.
        unsafe { libc::_exit(0) };
    }
    let guard = || children_of(master.pid()).first().copied();
    eventually("a guard is born", SOON, || guard().is_some());
    let guard = guard().unwrap();
    let lock = |pid| {
        descriptors_of(pid)
            .into_values()
            .any(|it| it.ends_with(".lock"))
    };
    assert!(lock(guard));
    master.kill(libc::SIGKILL);
    assert!(lock(guard));
    let _successor = Master::start();
    assert!(lock(guard), "too late");
    assert_eq!(wait_for(client), 0);
    assert_eq!(wait_for(launch(&request, &|| 6).unwrap().app_pid), 6);
}

fn the_master_forgets_what_has_ended() {
    let master = Master::start();
    let request = request();
    Sandbox::start(&request).end();
    master.rest();
    let descriptors = || descriptors_of(master.pid()).len();
    let before = descriptors();
    for _ in 0..20 {
        Sandbox::start(&request).end();
    }
    eventually("all are closed", Duration::from_secs(1), || {
        descriptors() == before
    });
    assert_eq!(master.guards(), []);
}

fn a_user_cannot_start_a_master() {
    make_dir("/run/open", 0o777);
    // Where it was built users may not be able to go, such as in /root.
    let program = "/run/open/rocker-master";
    fs::copy(binary("rocker-master"), program).unwrap();
    let status = rocker_testing::in_fork(|| {
        rocker_testing::become_user(1000);
        let master = Command::new(program)
            .arg("--socket")
            .arg("/run/open/m.sock")
            .output();
        master.unwrap().status.code().unwrap()
    });
    assert_eq!(status, 1);
    assert!(!fs::exists("/run/open/m.sock").unwrap());
}

/// A master that a manager has started, whose socket is to be there.
fn start_managed(manager: &str) -> Child {
    let mut command = Command::new(binary("rocker-master"));
    command.env("NOTIFY_SOCKET", manager).spawn().unwrap()
}

fn end(mut master: Child) {
    kill(master.id().cast_signed(), libc::SIGTERM);
    assert!(master.wait().unwrap().success());
}

fn systemd_is_told_when_clients_are_heard() {
    let manager = UnixDatagram::bind("/run/notify").unwrap();
    manager.set_read_timeout(Some(SOON)).unwrap();
    let master = start_managed("/run/notify");
    let mut word = [0; 64];
    let (len, _) = manager.recv_from(&mut word).unwrap();
    assert_eq!(&word[..len], b"READY=1");
    Sandbox::start(&request()).end();
    end(master);
    // It says so once.
    manager.set_nonblocking(true).unwrap();
    assert!(manager.recv_from(&mut word).is_err());
}

fn a_manager_that_does_not_listen_stops_nothing() {
    for manager in ["/run/nobody", "", "@abstract", &"x".repeat(200)] {
        let master = start_managed(manager);
        // Its file is there before somebody listens.
        eventually("it serves", SOON, || Peer::connect().is_ok());
        Sandbox::start(&request()).end();
        end(master);
    }
}

fn the_socket_can_be_elsewhere() {
    make_dir("/run/elsewhere", 0o755);
    let mut command = Command::new(binary("rocker-master"));
    command.args(["--socket", "/run/elsewhere/m"]);
    let mut master = Master::start_command(command);
    assert!(fs::exists("/run/elsewhere/m").unwrap() && !fs::exists(SOCKET).unwrap());
    master.kill(libc::SIGTERM);
    let mut command = Command::new(binary("rocker-master"));
    command.env("ROCKER_SOCKET", "/run/elsewhere/e");
    let _master = Master::start_command(command);
    assert!(fs::exists("/run/elsewhere/e").unwrap());
}

/// Whether clients can name it or not, the sandboxes of such a master are like any other's.
fn a_relative_address_works() {
    make_dir("/run/rocker", 0o755);
    let mut command = Command::new(binary("rocker-master"));
    command
        .args(["--socket", "master.sock"])
        .current_dir("/run/rocker");
    let _master = Master::start_command(command);
    assert_eq!(wait_for(launch(&request(), &|| 7).unwrap().app_pid), 7);
}

fn an_honest_launch_is_not_logged() {
    let master = Master::start();
    ask(&request(), &String::new);
    assert_eq!(master.log(), "");
}
