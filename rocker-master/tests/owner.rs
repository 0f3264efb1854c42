//! Clients that are not root: they own their sandboxes, and get in by that.

use rocker_client::Request;
use rocker_testing::{
    App, Case, Master, Program, SOON, Sandbox, app_master, children_of, descriptors_of, eventually,
    in_fork, is_there, kill, launch, run_cases_on_this_kernel, start_for_app_master, status_of,
    wait_for, with_ids,
};
use std::fs::{self, File};
use std::io::Error;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_this_kernel(CASES)
}

const CASES: &[Case] = &[
    ("a_function_runs_as_the_app_s_user", a_function_runs),
    ("a_program_runs_as_the_app_s_user", a_program_runs),
    (
        "the_master_knows_the_guard_alone",
        the_master_knows_the_guard_alone,
    ),
    (
        "an_app_may_have_its_app_master_s_uid",
        an_app_may_have_its_app_master_s_uid,
    ),
    (
        "groups_of_the_app_master_are_left",
        groups_of_the_app_master_are_left,
    ),
    (
        "libc_s_process_id_is_the_app_s",
        libc_s_process_id_is_the_app_s,
    ),
    (
        "what_root_mounted_cannot_be_taken_away",
        what_root_mounted_cannot_be_taken_away,
    ),
    (
        "the_namespaces_belong_to_the_app_master",
        the_namespaces_belong_to_the_app_master,
    ),
];

const USER: u32 = 1000;

fn start() -> (Master, Request<'static>) {
    start_for_app_master("1-65534")
}

fn end(mut sandbox: Sandbox) {
    sandbox.let_go();
    assert_eq!(wait_for(sandbox.app_pid()), 0);
    wait_for_guard(sandbox.guard_pid());
}

/// The master is not asked, as it talks of its cache to root alone.
fn wait_for_guard(pid: i32) {
    eventually("the guard has ended", SOON, || !is_there(pid));
}

/// What a child that is at hand says of itself.
fn assert_app(pid: i32, id: &str) {
    assert_guard(pid, id);
    assert_eq!(status_of(pid, "CapBnd"), "0000000000000000");
}

/// The guard executes nothing, so it keeps its bounding set.
fn assert_guard(pid: i32, id: &str) {
    assert_eq!(status_of(pid, "Uid"), [id; 4].join(" "));
    assert_eq!(status_of(pid, "Gid"), [id; 4].join(" "));
    assert_eq!(status_of(pid, "Groups"), "");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status_of(pid, set), "0000000000000000", "{set}");
    }
    assert_eq!(status_of(pid, "NoNewPrivs"), "1");
}

fn a_function_runs() {
    let (master, request) = start();
    app_master(|| {
        let sandbox = Sandbox::start(&request);
        let (app, guard) = (sandbox.app_pid(), sandbox.guard_pid());
        let me = std::process::id();
        assert_eq!(status_of(app, "PPid"), me.to_string());
        assert_eq!(status_of(guard, "PPid"), master.pid().to_string());
        assert_eq!(status_of(guard, "NSpid"), format!("{guard} 1"));
        assert_app(app, "2000");
        assert_guard(guard, "2000");
        assert_eq!(children_of(me.cast_signed()), [app]);
        end(sandbox);
    });
    assert_eq!(master.log(), "");
}

/// The process that made it is off the table, and it is watched as any other.
fn the_master_knows_the_guard_alone() {
    let (master, request) = start();
    // Its App goes on when it has ended.
    app_master(|| {
        sleeper(&request);
    });
    eventually("one child is left", SOON, || master.guards().len() == 1);
    eventually("it is watched", SOON, || {
        let links = descriptors_of(master.pid()).into_values();
        links.filter(|link| link.contains("pidfd")).count() == 1
    });
    let [guard] = master.guards()[..] else {
        panic!("no guard")
    };
    kill(guard, libc::SIGKILL);
    // Its AppMaster has left the App to this process.
    // SAFETY: a null status is not written.
    let app = unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) };
    assert!(app > 0, "{}", Error::last_os_error());
    eventually("it is forgotten", SOON, || {
        let links = descriptors_of(master.pid()).into_values();
        master.guards().is_empty() && !links.into_iter().any(|link| link.contains("pidfd"))
    });
}

fn a_program_runs() {
    let (_master, request) = start();
    app_master(|| {
        let script = "set -- $(id -u) $(id -g) $(id -G) && [ \"$*\" = '2000 2000 2000' ] && exit 7";
        let program = Program {
            arguments: &["/bin/sh", "-c", script],
            ..Program::default()
        };
        let launched = program.launch(&request).unwrap();
        assert!(launched.app_pidfd.is_some() && launched.guard_pidfd.is_some());
        assert_eq!(wait_for(launched.app_pid), 7);
        wait_for_guard(launched.guard_pid);
    });
}

fn an_app_may_have_its_app_master_s_uid() {
    let (_master, request) = start();
    let request = with_ids(&request, 7, USER, USER);
    app_master(|| {
        let sandbox = Sandbox::start(&request);
        assert_app(sandbox.app_pid(), "1000");
        end(sandbox);
    });
}

/// Those of a user who is in groups that matter.
fn groups_of_the_app_master_are_left() {
    let (_master, request) = start();
    let status = in_fork(|| {
        let groups: [libc::gid_t; 3] = [6, 42, 1000];
        // SAFETY: the kernel reads as many groups as the array has.
        assert_eq!(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }, 0);
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::setgid(USER) }, 0);
        // SAFETY: integers only.
        assert_eq!(unsafe { libc::setuid(USER) }, 0);
        let sandbox = Sandbox::start(&request);
        assert_app(sandbox.app_pid(), "2000");
        assert_eq!(status_of(sandbox.guard_pid(), "Groups"), "");
        end(sandbox);
        let me = std::process::id().cast_signed();
        assert_eq!(status_of(me, "Groups"), "6 42 1000");
        0
    });
    assert_eq!(status, 0);
}

/// libc has noted the number of the process in the middle.
fn libc_s_process_id_is_the_app_s() {
    let (_master, request) = start();
    app_master(|| {
        let app: App<'_> = &|| {
            // SAFETY: no argument, no effect.
            let tid = unsafe { libc::syscall(libc::SYS_gettid) };
            assert_eq!(i64::from(std::process::id()), tid);
            assert_eq!(i64::from(owner_of_a_mutex()), tid);
            // SAFETY: no argument, no effect.
            let this = unsafe { libc::pthread_self() };
            // SAFETY: this thread is alive.
            unsafe { libc::pthread_kill(this, libc::SIGTERM) };
            0
        };
        let launched = launch(&request, app).unwrap();
        assert_eq!(wait_for(launched.app_pid), 128 + libc::SIGTERM);
    });
}

/// What libc takes this thread's id for: it notes it in a mutex that is taken, behind two other numbers.
fn owner_of_a_mutex() -> i32 {
    let mut mutex = libc::PTHREAD_MUTEX_INITIALIZER;
    let mutex = &raw mut mutex;
    // SAFETY: the mutex is initialised, and nobody else's.
    assert_eq!(unsafe { libc::pthread_mutex_lock(mutex) }, 0);
    // SAFETY: a mutex of glibc and of musl is larger than three numbers, which its own start with.
    let [_, _, owner] = unsafe { mutex.cast::<[i32; 3]>().read() };
    owner
}

/// Not even by who owns the sandbox, which has every capability in it.
fn what_root_mounted_cannot_be_taken_away() {
    let (_master, request) = start();
    app_master(|| {
        let app = sleeper(&request);
        let status = in_fork(|| {
            let open = |name: &str| File::open(format!("/proc/{app}/ns/{name}")).unwrap();
            let (user, mounts) = (open("user"), open("mnt"));
            enter(&user, libc::CLONE_NEWUSER);
            enter(&mounts, libc::CLONE_NEWNS);
            for path in [c"/run/exec", c"/etc", c"/run"] {
                // SAFETY: the kernel reads the path.
                let done = unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
                let errno = Error::last_os_error().raw_os_error();
                assert_eq!((done, errno), (-1, Some(libc::EINVAL)), "{path:?}");
            }
            0
        });
        assert_eq!(status, 0);
        kill(app, libc::SIGKILL);
        assert_eq!(wait_for(app), 128 + libc::SIGKILL);
    });
}

/// A program that stays. What it has executed is its sandbox's, so its AppMaster may look into it; a function's memory is a
/// copy of the AppMaster's own.
fn sleeper(request: &Request<'_>) -> i32 {
    let program = Program {
        arguments: &["/bin/sleep", "1000"],
        ..Program::default()
    };
    let app = program.launch(request).unwrap().app_pid;
    // The launch is back when the program cannot fail any more, a moment before it has a memory of its own.
    eventually("it has executed", SOON, || {
        status_of(app, "Name") == "sleep"
    });
    app
}

fn enter(namespace: &File, kind: i32) {
    // SAFETY: integers only.
    let done = unsafe { libc::setns(namespace.as_raw_fd(), kind) };
    assert_eq!(done, 0, "setns: {}", Error::last_os_error());
}

fn the_namespaces_belong_to_the_app_master() {
    let (_master, request) = start();
    app_master(|| {
        let app = sleeper(&request);
        let words = |name: &str| {
            let text = fs::read_to_string(format!("/proc/{app}/{name}")).unwrap();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("uid_map"), "2000 2000 1");
        assert_eq!(words("gid_map"), "2000 2000 1");
        for name in ["mnt", "pid", "ipc", "uts", "user"] {
            let namespace = File::open(format!("/proc/{app}/ns/{name}")).unwrap();
            let own = fs::metadata(format!("/proc/self/ns/{name}")).unwrap();
            assert_ne!(namespace.metadata().unwrap().ino(), own.ino(), "{name}");
            if name != "user" {
                assert_eq!(owner_of(&namespace), USER, "{name}");
            }
        }
        kill(app, libc::SIGKILL);
        assert_eq!(wait_for(app), 128 + libc::SIGKILL);
    });
}

/// Who owns the user namespace that a namespace was made in (`ioctl_nsfs(2)`).
fn owner_of(namespace: &File) -> u32 {
    const NS_GET_USERNS: libc::Ioctl = 0xb701;
    const NS_GET_OWNER_UID: libc::Ioctl = 0xb704;
    // SAFETY: no argument; a descriptor of this process comes back.
    let user = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_USERNS) };
    assert!(user >= 0, "{}", Error::last_os_error());
    let mut uid: libc::uid_t = 0;
    // SAFETY: the kernel writes one id.
    let done = unsafe { libc::ioctl(user, NS_GET_OWNER_UID, &raw mut uid) };
    assert_eq!(done, 0, "{}", Error::last_os_error());
    // SAFETY: made above, and nobody else's.
    unsafe { libc::close(user) };
    uid
}
