//! Every step of a guard fails once: the exact stage, errno and index, and nothing is left.
//!
//! strace makes a system call fail. It counts the calls of each process by itself, so a number means the guard's calls
//! where the master makes none; elsewhere a path says which one is meant.

use rocker_client::{Data, DataMode, Failure, NO_INDEX, Network, Request, Seccomp, Stage};
use rocker_testing::{
    Case, Master, SETNS_BY_PIDFD, Sandbox, Traces, eventually, launch, make_dir, mount_tmpfs,
    overlays, refuse_calls, request, run_cases,
};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("every_guard_stage_has_a_fault", every_stage_has_a_fault),
    ("faults_before_the_mounts", || check(BEFORE)),
    ("faults_of_the_layers", faults_of_the_layers),
    ("faults_of_a_tmpfs", faults_of_a_tmpfs),
    ("faults_of_the_mounts", || check(MOUNTS)),
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

/// Which call fails how (`inject=` of strace), on which path if not on all, and at which stage that is.
const BEFORE: &str = "
    clone3:error=EAGAIN:when=1       -                             clone
    socketpair:error=EMFILE:when=1   -                             clone
    close_range:error=EPERM:when=1   -                             guard
    prctl:error=EPERM:when=1         -                             guard
    chdir:error=EIO:when=1           -                             guard
    prctl:error=EPERM:when=2         -                             seccomp
    openat2:error=EIO                /run/app.sqfs                 open-package
    pread64:error=EIO                /run/app.sqfs                 package-format
    openat2:error=EIO                /run/data                     open-data-dir
    openat:error=EMFILE              /proc/driver                  package-cache
    openat2:error=EIO                /run/o1                       open-overlay[0]
    openat2:error=EIO                /run/o22                      open-overlay[1]
";

/// In a data directory without layers, so that they have to be made.
const LAYERS: &str = "
    mkdirat:error=ENOSPC             /run/fresh                    layers
    mkdirat:error=EDQUOT:when=1      /run/fresh/.rocker            layers[0]
    mkdirat:error=EROFS:when=2       /run/fresh/.rocker            layers[0]
    mkdirat:error=EROFS:when=4       /run/fresh/.rocker            layers[0]
    mkdirat:error=EROFS:when=6       /run/fresh/.rocker            layers[0]
    mkdirat:error=ENOSPC:when=7      /run/fresh/.rocker            layers[1]
    fchown:error=EPERM               /run/fresh/.rocker/run+o22/upper layers[1]
    fstatfs:error=EIO:when=1         -                             layer-fs
";

/// With the layers on a tmpfs.
const TMPFS: &str = "
    mount:error=ENODEV:when=1        -                             tmpfs
    openat:error=EMFILE              /proc/fs                      tmpfs
    fstatfs:error=EIO:when=1         -                             tmpfs
    mount:error=ENOMEM:when=2        -                             mount-overlay[0]
";

const MOUNTS: &str = "
    chdir:error=EIO:when=2           -                             layers
    mount:error=EINVAL:when=1        -                             mount-overlay[0]
    mount:error=ENODEV:when=2        -                             mount-overlay[1]
    mount:error=ENOMEM:when=3        -                             submount[1]
    mount:error=EPERM:when=4         -                             submount[1]
    fstatfs:error=EIO:when=2         -                             submount[1]
    mkdirat:error=ENOSPC             /proc/driver                  package-cache
    mount:error=EIO:when=5           -                             mount-package
    mount:error=EPERM:when=6         -                             package-cache
    openat2:error=EIO                /run/exec                     open-exec-dir
    mount:error=EINVAL:when=7        -                             mount-package
    mount:error=EPERM:when=8         -                             mount-proc
    mount:error=EPERM:when=9         -                             harden-proc[0]
    mount:error=EBUSY:when=10        -                             harden-proc[1]
    openat2:error=EIO                /run/rocker/                  harden-proc
    openat:error=EMFILE              master.sock.mask              harden-proc
    mount_setattr:error=ENOMEM:when=1 -                            harden-proc
    mount_setattr:error=EBUSY:when=2 -                             harden-proc
    mount_setattr:error=ENOMEM:when=3 -                            harden-sys
";

/// The last: LOOP_CONFIGURE is not known, and of the two calls that take its place the second fails.
const LOOP_DEVICE: &str = "
    openat:error=ENOENT              /dev/loop-control             loop-device
    ioctl:error=ENOSPC:when=1        -                             loop-device
    ioctl:error=EIO:when=2           -                             loop-device
    ioctl:error=EINVAL:when=2..4+2   -                             loop-device
";

/// The master's own writes are setgroups, gid_map and uid_map.
const IDENTITY: &str = "
    setgroups:error=EPERM            -                             user-namespace
    unshare:error=ENOSPC             -                             user-namespace
    sendmsg:error=ENOBUFS:when=1     -                             id-maps
    write:error=EACCES:when=1        -                             id-maps
    write:error=EPERM:when=2         -                             id-maps
    write:error=EINVAL:when=3        -                             id-maps
    pidfd_open:error=EMFILE:when=1   -                             namespaces
    prctl:error=EPERM:when=3         -                             harden
    prctl:error=EPERM:when=4         -                             harden
    setresgid:error=EPERM            -                             harden
    setresuid:error=EAGAIN           -                             harden
    capset:error=EPERM               -                             harden
    sendmsg:error=EPIPE:when=2       -                             vanished
    sendmsg:error=EPIPE:when=3       -                             vanished
";

/// With a seccomp policy.
const POLICY: &str = "
    openat2:error=EIO                /run/policy                   seccomp-policy
";

/// Without the host's network.
const NETWORK: &str = "
    unshare:error=ENOSPC:when=1      -                             network
    socket:error=EMFILE:when=1       -                             network
";

/// When the host's mounts have changed.
const FOLLOWING: &str = "
    setns:error=EPERM                -                             propagation
    unshare:error=ENOMEM             -                             propagation
    openat:error=EMFILE              /proc/self/mountinfo          propagation
    read:error=EIO                   -                             propagation
";

/// Where setns takes no pidfd.
const NAMESPACES: &str = "
    openat:error=EMFILE              /proc/self/ns/mnt             namespaces
    openat:error=EMFILE              /proc/self/ns/user            namespaces
    pidfd_open:error=EMFILE:when=1   -                             namespaces
";

/// One row.
#[derive(Debug)]
struct Fault {
    inject: &'static str,
    path: Option<&'static str>,
    stage: &'static str,
    index: u16,
}

fn rows(table: &'static str) -> impl Iterator<Item = Fault> {
    table.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (inject, path, stage) = (words.next()?, words.next()?, words.next()?);
        let (stage, index) = match stage.strip_suffix(']') {
            Some(indexed) => indexed.split_once('[').unwrap(),
            None => (stage, "65535"),
        };
        Some(Fault {
            inject,
            path: Some(path).filter(|path| *path != "-"),
            stage,
            index: index.parse().unwrap(),
        })
    })
}

impl Fault {
    fn call(&self) -> &str {
        self.inject.split(':').next().unwrap()
    }

    /// What the call says is what the client is told.
    fn errno(&self) -> i32 {
        let name = self
            .inject
            .split(':')
            .find_map(|part| part.strip_prefix("error="));
        match name.unwrap() {
            "EPERM" => libc::EPERM,
            "ENOENT" => libc::ENOENT,
            "EIO" => libc::EIO,
            "EAGAIN" => libc::EAGAIN,
            "ENOMEM" => libc::ENOMEM,
            "EACCES" => libc::EACCES,
            "EBUSY" => libc::EBUSY,
            "ENODEV" => libc::ENODEV,
            "EINVAL" => libc::EINVAL,
            "EMFILE" => libc::EMFILE,
            "ENOSPC" => libc::ENOSPC,
            "EROFS" => libc::EROFS,
            "EPIPE" => libc::EPIPE,
            "ENOBUFS" => libc::ENOBUFS,
            "EDQUOT" => libc::EDQUOT,
            other => panic!("{other}"),
        }
    }

    fn stage(&self) -> Stage {
        let mut all = Stage::ALL.iter().copied();
        all.find(|stage| stage.name() == self.stage).unwrap()
    }
}

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
