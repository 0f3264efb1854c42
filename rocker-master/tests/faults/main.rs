//! Every step of a guard fails once: the exact stage, errno and index, and nothing is left.
//!
//! strace makes a system call fail. It counts the calls of each process by itself, so a number means the guard's calls
//! where the master makes none; elsewhere a path says which one is meant.

mod table;

use rocker_client::{Data, DataMode, Failure, NO_INDEX, Network, Request, Seccomp, Stage};
use rocker_testing::{
    Case, Master, Refusal, SETNS_BY_PIDFD, Sandbox, Traces, eventually, launch, make_dir,
    mount_tmpfs, overlays, refuse_calls, request, run_cases,
};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use table::{
    BEFORE, COPY_OF_THE_CACHE, FOLLOWING, Fault, IDENTITY, LAYERS, LOOP_DEVICE, MOUNTS, NAMESPACES,
    NETWORK, POLICY, TMPFS, rows,
};

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("every_guard_stage_has_a_fault", every_stage_has_a_fault),
    ("faults_before_the_mounts", || check(BEFORE)),
    ("faults_of_the_layers", faults_of_the_layers),
    ("faults_of_a_tmpfs", faults_of_a_tmpfs),
    ("faults_of_the_mounts", || check(MOUNTS)),
    ("faults_of_a_copy_of_the_cache", || {
        refuse_calls(&[Refusal::of(libc::SYS_open_tree, libc::ENOSYS)]);
        check(COPY_OF_THE_CACHE);
    }),
    ("faults_of_the_loop_device", || check(LOOP_DEVICE)),
    ("faults_of_the_identity", || check(IDENTITY)),
    ("faults_of_a_policy", faults_of_a_policy),
    ("faults_of_the_network", faults_of_the_network),
    (
        "a_master_that_cannot_follow_the_host_refuses_and_recovers",
        cannot_follow_the_host,
    ),
    ("faults_of_the_namespaces", || {
        refuse_calls(&SETNS_BY_PIDFD);
        check(NAMESPACES);
    }),
];

/// Two overlays, with a mount below the second.
fn request_with_all_steps() -> Request<'static> {
    let request = request();
    make_dir("/run/o1", 0o755);
    mount_tmpfs("/run/o22/sub", 0);
    Request {
        overlays: overlays(&[c"/run/o1", c"/run/o22"]),
        ..request
    }
}

fn check(table: &'static str) {
    check_with(table, &request_with_all_steps());
}

fn check_with(table: &'static str, request: &Request<'_>) {
    let master = Master::start();
    // It makes the layers' directories, which stay.
    Sandbox::start(request).end();
    drop(master);
    rows(table).for_each(|fault| check_one(&fault, request));
}

fn faults_of_the_layers() {
    let request = Request {
        data_dir: c"/run/fresh",
        ..request_with_all_steps()
    };
    for fault in rows(LAYERS) {
        make_dir("/run/fresh", 0o755);
        check_one(&fault, &request);
        fs::remove_dir_all("/run/fresh").unwrap();
    }
}

fn faults_of_a_tmpfs() {
    let request = Request {
        data: Data {
            mode: DataMode::TMPFS,
            ..Data::DISK
        },
        ..request_with_all_steps()
    };
    rows(TMPFS).for_each(|fault| check_one(&fault, &request));
}

fn faults_of_a_policy() {
    fs::write("/run/policy", "read: 1\n").unwrap();
    let request = Request {
        seccomp: Seccomp::FILE,
        policy: c"/run/policy",
        ..request_with_all_steps()
    };
    rows(POLICY).for_each(|fault| check_one(&fault, &request));
}

fn faults_of_the_network() {
    let request = Request {
        network: Network::NONE,
        ..request_with_all_steps()
    };
    check_with(NETWORK, &request);
}

fn start_with(fault: &Fault) -> Master {
    let trace = format!("trace={}", fault.call());
    let inject = format!("inject={}", fault.inject);
    let mut options = vec!["-e", &trace, "-e", &inject];
    options.extend(fault.path.iter().flat_map(|path| ["-P", path]));
    Master::start_traced(&options)
}

fn check_one(fault: &Fault, request: &Request<'_>) {
    let mut master = start_with(fault);
    let data = Path::new("/run/data");
    let before = Traces::now(data);

    let failure = launch(request, &|| 0).unwrap_err();

    let expected = Failure::indexed(fault.stage(), fault.errno(), fault.index);
    assert_eq!(failure, expected, "{fault:?}");
    let limit = Duration::from_secs(2);
    eventually(&format!("all is as before {fault:?}"), limit, || {
        Traces::now(data) == before
    });
    eventually("it is logged", limit, || !master.log().is_empty());
    let log = master.log();
    assert_eq!(log.lines().count(), 1, "{fault:?} {log}");
    let index = match fault.index {
        NO_INDEX => String::new(),
        index => format!("[{index}]"),
    };
    let stage = format!(" stage={}{index} ", fault.stage);
    assert!(log.contains(&stage), "{fault:?} {log}");
    assert!(master.is_alive(), "{fault:?}");
}

fn cannot_follow_the_host() {
    let request = request();
    for fault in rows(FOLLOWING) {
        let mut master = start_with(&fault);
        mount_tmpfs("/run/late", 0);
        for _ in 0..2 {
            let failure = launch(&request, &|| 0).unwrap_err();
            assert_eq!(failure, Failure::new(fault.stage(), fault.errno()));
        }
        master.end_trace();
        Sandbox::start(&request).end();
    }
}

/// From cloning the guard to its reply.
fn every_stage_has_a_fault() {
    let tables = [
        BEFORE,
        LAYERS,
        TMPFS,
        MOUNTS,
        COPY_OF_THE_CACHE,
        LOOP_DEVICE,
        IDENTITY,
        POLICY,
        NETWORK,
        FOLLOWING,
        NAMESPACES,
    ];
    let tried: Vec<_> = tables.into_iter().flat_map(rows).collect();
    let missing = Stage::ALL.iter().filter(|stage| {
        // A signature is checked only where it is wanted: signatures.rs has what goes wrong there.
        let is_a_guard_s = (Stage::CLONE..Stage::SOCKET_PATH).contains(*stage)
            && **stage != Stage::PACKAGE_SIGNATURE;
        is_a_guard_s && !tried.iter().any(|fault| fault.stage() == **stage)
    });
    let missing: Vec<_> = missing.map(|stage| stage.name()).collect();
    assert_eq!(missing, [""; 0]);
}
