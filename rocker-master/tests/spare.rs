//! The guard that waits for the next launch: who gets it, and that it knows what has happened since it was made.

use rocker_client::{CacheRequest, DEFAULT_SOCKET, Request, Stage, ask_cache};
use rocker_testing::{
    Case, Master, SOON, Sandbox, app_master, ask, descriptors_of, eventually, is_there, kill,
    launch, launch_function, mount_tmpfs, request, run_cases, start_for_app_master, status_of,
    wait_for,
};
use std::ffi::{CStr, c_int, c_void};
use std::fs;
use std::io::Error;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("none_waits_before_a_launch", none_waits_before_a_launch),
    (
        "none_waits_for_app_masters_that_are_not_root",
        none_waits_for_app_masters_that_are_not_root,
    ),
    ("the_next_launch_gets_it", the_next_launch_gets_it),
    ("it_is_killed", it_is_killed),
    (
        "one_that_cannot_be_made_is_not_made_again_and_again",
        one_that_cannot_be_made_is_not_made_again_and_again,
    ),
    ("it_goes_with_the_master", it_goes_with_the_master),
    (
        "it_is_given_up_with_the_package",
        it_is_given_up_with_the_package,
    ),
    (
        "it_sees_what_the_host_has_mounted_since",
        it_sees_what_the_host_has_mounted_since,
    ),
    ("it_has_the_host_s_new_name", it_has_the_host_s_new_name),
    (
        "it_holds_none_of_the_master_s_descriptors",
        it_holds_none_of_the_master_s_descriptors,
    ),
];

/// Longer than any case.
const LONG: u32 = 1000;

/// A master that has launched something, and the guard that waits since.
fn start() -> (Master, Request<'static>, i32) {
    let master = Master::start_keeping_packages(LONG);
    let request = request();
    Sandbox::start(&request).end();
    let spare = spare_of(&master);
    (master, request, spare)
}

fn spare_of(master: &Master) -> i32 {
    another_spare(master, 0)
}

fn another_spare(master: &Master, old: i32) -> i32 {
    let mut found = None;
    eventually("another guard waits", SOON, || {
        found = master.spare().filter(|pid| *pid != old);
        found.is_some()
    });
    found.unwrap()
}

/// Nothing is spent on a machine where nothing is launched.
fn none_waits_before_a_launch() {
    let master = Master::start();
    sleep(Duration::from_millis(50));
    assert_eq!(master.spare(), None);
}

/// Theirs cannot be made before they are known.
fn none_waits_for_app_masters_that_are_not_root() {
    let (master, request) = start_for_app_master("2000");
    app_master(|| Sandbox::start(&request).end());
    sleep(Duration::from_millis(50));
    assert_eq!(master.spare(), None);
    // They do not get root's.
    Sandbox::start(&request).end();
    let spare = spare_of(&master);
    app_master(|| {
        let sandbox = Sandbox::start(&request);
        assert_ne!(sandbox.guard_pid(), spare);
        sandbox.end();
    });
}

fn the_next_launch_gets_it() {
    let (master, request, mut spare) = start();
    for _ in 0..3 {
        let sandbox = Sandbox::start(&request);
        assert_eq!(sandbox.guard_pid(), spare);
        sandbox.end();
        spare = spare_of(&master);
    }
}

/// While the master hears nothing, so that it finds out when it calls.
fn it_is_killed() {
    let (master, request, spare) = start();
    kill(master.pid(), libc::SIGSTOP);
    let launched = std::thread::scope(|scope| {
        let launching = scope.spawn(|| launch_function(DEFAULT_SOCKET, &request, end).unwrap());
        sleep(Duration::from_millis(100));
        kill(spare, libc::SIGKILL);
        eventually("it is dead", SOON, || {
            status_of(spare, "State").starts_with('Z')
        });
        kill(master.pid(), libc::SIGCONT);
        launching.join().unwrap()
    });
    assert_eq!(wait_for(launched.app_pid), 3);
    eventually("it has been reaped", SOON, || !is_there(spare));
}

extern "C" fn end(_: *mut c_void) -> c_int {
    3
}

/// Of each process the first mount fails, which is that of /proc: once for the launch, and once for the guard of the next.
fn one_that_cannot_be_made_is_not_made_again_and_again() {
    let fault = "inject=mount:error=EPERM:when=1";
    let mut master = Master::start_traced(&["-e", "trace=mount,clone3", "-e", fault]);
    let request = request();
    for births in [2, 4] {
        let failure = launch(&request, &|| 0).unwrap_err();
        assert_eq!(failure.stage, Stage::MOUNT_PROC);
        sleep(Duration::from_millis(200));
        let trace = fs::read_to_string("/run/trace").unwrap();
        assert_eq!(trace.matches("clone3(").count(), births, "{trace}");
    }
    master.end_trace();
    Sandbox::start(&request).end();
}

fn it_goes_with_the_master() {
    let (mut master, _, spare) = start();
    master.kill(libc::SIGKILL);
    assert_eq!(wait_for(spare), 0);
}

/// Or it would look for the package where it is no longer mounted.
fn it_is_given_up_with_the_package() {
    let (master, request, spare) = start();
    ask_cache(DEFAULT_SOCKET, CacheRequest::Drop, |_| {}).unwrap();
    let new = another_spare(&master, spare);
    eventually("the old one has gone", SOON, || !is_there(spare));
    let sandbox = Sandbox::start(&request);
    assert_eq!(sandbox.guard_pid(), new);
    sandbox.end();
}

fn it_sees_what_the_host_has_mounted_since() {
    let (_master, request, _) = start();
    fs::create_dir("/run/late").unwrap();
    mount_tmpfs("/run/late", 0);
    fs::write("/run/late/file", "here").unwrap();
    let read = || fs::read_to_string("/run/late/file").unwrap_or_default();
    assert_eq!(ask(&request, &read), "here");
    // SAFETY: the path is a C string.
    let done = unsafe { libc::umount(c"/run/late".as_ptr()) };
    assert_eq!(done, 0, "{}", Error::last_os_error());
    assert_eq!(ask(&request, &read), "");
}

fn set_host_name(name: &CStr) {
    // SAFETY: the length is that of the string.
    let done = unsafe { libc::sethostname(name.as_ptr(), name.count_bytes()) };
    assert_eq!(done, 0, "{}", Error::last_os_error());
}

fn it_has_the_host_s_new_name() {
    // SAFETY: an integer only.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWUTS) }, 0);
    set_host_name(c"before");
    let (_master, request, spare) = start();
    set_host_name(c"after");
    let sandbox = Sandbox::start(&request);
    assert_eq!(sandbox.guard_pid(), spare);
    sandbox.end();
    let name = || fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(ask(&request, &name), "after\n");
}

/// Clients, the listener and other guards' channels among them: somebody may wait for their end.
fn it_holds_none_of_the_master_s_descriptors() {
    let (_master, _, spare) = start();
    let held = || {
        let held = descriptors_of(spare).into_values();
        held.collect::<Vec<_>>()
    };
    let sockets = || held().iter().filter(|it| it.starts_with("socket")).count();
    eventually("it has closed the others", SOON, || sockets() == 1);
    // Its channel, the cache's namespace and directory there, the host's /proc, the mask and its directory.
    assert_eq!(held().len(), 6, "{:?}", held());
}
