//! The policy's file at the start and at SIGHUP.

use rocker_client::{Failure, Stage};
use rocker_testing::{
    Case, Master, POLICY, POLICY_OF_1000, Peer, SOCKET, SOON, Steady, as_user, binary,
    descriptors_of, errno_of, eventually, kill, make_dir, mount, request, run_cases,
    wait_for_master,
};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "the_socket_has_the_mode_and_group_of_the_file",
        the_socket_has_mode_and_group,
    ),
    (
        "sighup_makes_the_file_s_word_count",
        sighup_makes_the_file_s_word_count,
    ),
    (
        "a_file_that_cannot_be_used_changes_nothing",
        a_file_that_cannot_be_used_changes_nothing,
    ),
    (
        "a_file_that_cannot_be_used_ends_the_start",
        a_file_that_cannot_be_used_ends_the_start,
    ),
    (
        "the_usual_file_need_not_be_named",
        the_usual_file_need_not_be_named,
    ),
    (
        "a_launch_that_was_asked_for_before_is_judged_by_the_new_file",
        judged_by_the_new_file,
    ),
    (
        "reloads_under_load_disturb_nobody",
        reloads_under_load_disturb_nobody,
    ),
];

/// What uid 1000 hears: 0, or the number of the stage that refuses.
fn ask() -> i32 {
    let packet = request().encode().unwrap();
    as_user(1000, || {
        let Ok(peer) = Peer::connect() else {
            return 255;
        };
        peer.send(&packet).unwrap_or_default();
        let refusal = peer.refusal(SOON);
        refusal.map_or(0, |failure| failure.stage.raw().into())
    })
}

fn number(stage: Stage) -> i32 {
    stage.raw().into()
}

/// How many there are once the guards of peers that never joined are gone.
fn descriptors_at_rest(master: &Master) -> usize {
    // Who asks for the cache is told when all that came before is done.
    eventually("no guard is left", SOON, || master.guards().is_empty());
    wait_for_master();
    descriptors_of(master.pid()).len()
}

fn sighup_makes_the_file_s_word_count() {
    let master = Master::start_with_policy("socket-mode 0666\n");
    assert_eq!(ask(), number(Stage::PEER));
    let said = master.change_policy(POLICY_OF_1000);
    assert_eq!(said, format!("rocker-master: uses now {POLICY}\n"));
    assert_eq!(ask(), 0);
    master.change_policy("socket-mode 0666\n[peer uid=1000]\n");
    assert_eq!(ask(), number(Stage::PACKAGE_PATH));
    master.change_policy("");
    assert_eq!(ask(), 255, "the socket is shut again");
    // Root is as before.
    Steady::launch();
}

fn a_file_that_cannot_be_used_changes_nothing() {
    let master = Master::start_with_policy(POLICY_OF_1000);
    let said = master.change_policy("socket-mode 0600\n[peer uid=x]\n");
    assert_eq!(
        said,
        format!("rocker-master: {POLICY}:2:11: expected N] or N-M]\n")
    );
    assert_eq!(ask(), 0);
    fs::set_permissions(POLICY, PermissionsExt::from_mode(0o666)).unwrap();
    let said = master.change_policy("");
    assert!(said.contains("only root can write"), "{said}");
    assert_eq!(ask(), 0);
    fs::remove_file(POLICY).unwrap();
    kill(master.pid(), libc::SIGHUP);
    eventually("it is logged", SOON, || master.log().contains("ENOENT(2)"));
    assert_eq!(ask(), 0);
    let descriptors = descriptors_at_rest(&master);
    for _ in 0..20 {
        master.change_policy("?");
    }
    // It has the file open when it says what is wrong with it.
    eventually("as many are open", SOON, || {
        descriptors_of(master.pid()).len() == descriptors
    });
}

fn a_file_that_cannot_be_used_ends_the_start() {
    let start = || {
        let mut command = Command::new(binary("rocker-master"));
        let output = command.args(["--config", POLICY]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let refused = |why: &str| (Some(1), format!("rocker-master: {POLICY}:{why}\n"));
    assert_eq!(start(), refused(" ENOENT(2)"));
    fs::write(POLICY, "[peer gid=0]\n").unwrap();
    assert_eq!(start(), refused("1:11: expected N] or N-M]"));
    assert!(!fs::exists("/run/rocker").unwrap(), "nothing was made");
}

/// On an /etc of the case's own.
fn the_usual_file_need_not_be_named() {
    make_dir("/run/upper", 0o755);
    make_dir("/run/work", 0o755);
    let layers = "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work";
    mount("overlay", "/etc", "overlay", 0, layers).unwrap();
    make_dir("/etc/rocker", 0o755);
    let file = "/etc/rocker/rocker.conf";
    fs::write(file, "socket-mode 0666\n").unwrap();
    let master = Master::start();
    assert_eq!(ask(), number(Stage::PEER));
    fs::remove_file(file).unwrap();
    kill(master.pid(), libc::SIGHUP);
    eventually("the socket is shut", SOON, || ask() == 255);
}

fn judged_by_the_new_file() {
    let packet = request().encode().unwrap();
    let master = Master::start_with_policy(POLICY_OF_1000);
    let (mut ready, tell) = rocker_testing::pipe();
    let (mut go_on, let_go) = rocker_testing::pipe();
    // SAFETY: the case has one thread.
    let client = unsafe { libc::fork() };
    if client == 0 {
        rocker_testing::become_user(1000);
        let peer = Peer::connect().unwrap();
        std::io::Write::write_all(&mut (&tell), b".").unwrap();
        std::io::Read::read_exact(&mut go_on, &mut [0]).unwrap();
        peer.send(&packet).unwrap();
        let refused = peer.refusal(SOON) == Some(Failure::new(Stage::PEER, libc::EPERM));
        // SAFETY: ends this fork.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    std::io::Read::read_exact(&mut ready, &mut [0]).unwrap();
    master.change_policy("socket-mode 0666\n");
    std::io::Write::write_all(&mut (&let_go), b".").unwrap();
    assert_eq!(rocker_testing::wait_for(client), 0);
}

fn reloads_under_load_disturb_nobody() {
    let packet = request().encode().unwrap();
    let master = Master::start_with_policy(POLICY_OF_1000);
    Steady::launch();
    master.rest();
    let before = descriptors_at_rest(&master);
    // SAFETY: the case has one thread.
    let client = unsafe { libc::fork() };
    if client == 0 {
        rocker_testing::become_user(1000);
        for _ in 0..100 {
            let peer = Peer::connect().unwrap();
            peer.send(&packet).unwrap();
            // Guards of launches that nobody joined may still be ending.
            let refusal = peer.refusal(SOON);
            let full = Failure::new(Stage::LIMIT, libc::EDQUOT);
            assert!(refusal.is_none_or(|failure| failure == full), "{refusal:?}");
        }
        // SAFETY: ends this fork.
        unsafe { libc::_exit(0) };
    }
    let others = format!("{POLICY_OF_1000}[peer gid=7]\n# another file\n");
    let mut reloads = 0;
    let status = loop {
        let mut status = 0;
        // SAFETY: the status is written to our variable.
        if unsafe { libc::waitpid(client, &raw mut status, libc::WNOHANG) } == client {
            break status;
        }
        master.change_policy(if reloads % 2 == 0 {
            &others
        } else {
            POLICY_OF_1000
        });
        reloads += 1;
    };
    assert_eq!(status, 0);
    assert!(reloads > 5, "{reloads}");
    eventually("all is as before", SOON, || {
        master.guards().is_empty() && descriptors_of(master.pid()).len() == before
    });
}

fn the_socket_has_mode_and_group() {
    let status = || {
        let socket = fs::metadata(SOCKET).unwrap();
        (socket.uid(), socket.gid(), socket.mode() & 0o7777)
    };
    let master = Master::start_with_policy("socket-group 1000\n");
    assert_eq!(status(), (0, 1000, 0o660));
    // Else the master would not have started.
    assert_eq!(fs::metadata(POLICY).unwrap().mode() & 0o022, 0);
    let connect = |uid| as_user(uid, || errno_of(Peer::connect()).unwrap_or(0));
    assert_eq!((connect(1000), connect(1001)), (0, libc::EACCES));
    master.change_policy("socket-mode 0600\n");
    assert_eq!(status(), (0, 0, 0o600));
    assert_eq!(connect(1000), libc::EACCES);
    fs::set_permissions(SOCKET, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(connect(1001), 0);
}
