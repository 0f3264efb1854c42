//! Which network an App has, and which cgroups it sees.

use rocker_client::{Network, Request};
use rocker_testing::{Case, Master, Sandbox, Traces, ask, request, run_cases_on_both_kernels};
use std::fs;
use std::io::{Error, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("the_network_is_the_caller_s", the_network_is_the_caller_s),
    (
        "no_network_is_a_loopback_alone",
        no_network_is_a_loopback_alone,
    ),
    (
        "abstract_sockets_of_the_host_are_out_of_reach",
        abstract_sockets_of_the_host_are_out_of_reach,
    ),
    (
        "ports_of_the_host_are_out_of_reach",
        ports_of_the_host_are_out_of_reach,
    ),
    ("the_loopback_works", the_loopback_works),
    (
        "the_app_is_in_the_guard_s_namespaces",
        the_app_is_in_the_guard_s_namespaces,
    ),
    (
        "a_network_of_its_own_ends_with_the_sandbox",
        a_network_of_its_own_ends_with_the_sandbox,
    ),
    ("cgroups_start_at_the_sandbox", cgroups_start_at_the_sandbox),
];

fn alone() -> Request<'static> {
    Request {
        network: Network::NONE,
        ..request()
    }
}

fn namespace(pid: &str, kind: &str) -> String {
    let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
    link.display().to_string()
}

/// The names of the interfaces that this process sees.
fn interfaces() -> String {
    let table = fs::read_to_string("/proc/self/net/dev").unwrap();
    let names = table
        .lines()
        .skip(2)
        .map(|line| line.split(':').next().unwrap().trim());
    names.collect::<Vec<_>>().join(" ")
}

fn the_network_is_the_caller_s() {
    let _master = Master::start();
    // Not the master's: a namespace of the case's own.
    // SAFETY: integers only.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
    let seen = ask(&request(), &|| namespace("self", "net"));
    assert_eq!(seen, namespace("self", "net"));
}

fn no_network_is_a_loopback_alone() {
    let _master = Master::start();
    let seen = ask(&alone(), &|| {
        format!("{} {}", namespace("self", "net"), interfaces())
    });
    let (its_own, interfaces) = seen.split_once(' ').unwrap();
    assert_ne!(its_own, namespace("self", "net"));
    assert_eq!(interfaces, "lo");
}

/// What an App gets that connects to an abstract socket of the case: 0 or an errno.
fn connect_to_abstract(request: &Request<'_>) -> String {
    let address = SocketAddr::from_abstract_name(b"rocker-test-host").unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    ask(request, &|| {
        let error = UnixStream::connect_addr(&address).err();
        error
            .and_then(|error| error.raw_os_error())
            .unwrap_or(0)
            .to_string()
    })
}

fn abstract_sockets_of_the_host_are_out_of_reach() {
    let _master = Master::start();
    assert_eq!(connect_to_abstract(&request()), "0");
    assert_eq!(
        connect_to_abstract(&alone()),
        libc::ECONNREFUSED.to_string()
    );
}

fn ports_of_the_host_are_out_of_reach() {
    let _master = Master::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reach = |request: &Request<'_>| {
        ask(request, &|| {
            let error = TcpStream::connect(address).err();
            error
                .and_then(|error| error.raw_os_error())
                .unwrap_or(0)
                .to_string()
        })
    };
    assert_eq!(reach(&request()), "0");
    assert_eq!(reach(&alone()), libc::ECONNREFUSED.to_string());
}

fn the_loopback_works() {
    let _master = Master::start();
    let echoed = ask(&alone(), &|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        near.write_all(b"by tcp").unwrap();
        let mut text = [0; 6];
        far.read_exact(&mut text).unwrap();
        // And nowhere else: there is no route.
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let error = socket.connect("192.0.2.1:9").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENETUNREACH));
        String::from_utf8(text.to_vec()).unwrap()
    });
    assert_eq!(echoed, "by tcp");
}

fn the_app_is_in_the_guard_s_namespaces() {
    let _master = Master::start();
    let sandbox = Sandbox::start(&alone());
    for kind in ["net", "cgroup", "ipc", "uts", "mnt", "pid", "user"] {
        let [app, guard] =
            [sandbox.app_pid(), sandbox.guard_pid()].map(|pid| namespace(&pid.to_string(), kind));
        assert_eq!(app, guard, "{kind}");
        assert_ne!(app, namespace("self", kind), "{kind}");
    }
    sandbox.end();
}

fn a_network_of_its_own_ends_with_the_sandbox() {
    let _master = Master::start();
    ask(&alone(), &String::new);
    let before = Traces::now(Path::new("/run/data"));
    ask(&alone(), &String::new);
    assert_eq!(Traces::now(Path::new("/run/data")), before);
}

/// Where master and AppMaster are in one cgroup, as here, that is the root of what an App sees.
fn cgroups_start_at_the_sandbox() {
    let _master = Master::start();
    let seen = ask(&request(), &|| {
        fs::read_to_string("/proc/self/cgroup")
            .unwrap_or_else(|_| Error::last_os_error().to_string())
    });
    for line in seen.lines() {
        assert!(line.ends_with(":/"), "{seen}");
    }
    assert!(!seen.is_empty());
}
