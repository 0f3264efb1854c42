//! The ways into a sandbox: that of the client library, and that of an AppMaster who does it by hand and forgets a step.

use rocker_client::{DEFAULT_SOCKET, Request};
use rocker_proto::limits::READY_MAX;
use rocker_proto::{Entrance, Joined, Reply};
use rocker_sys::namespace::{CLONE_NEWIPC, CLONE_NEWPID, setns};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::socket::{self, Address};
use rocker_sys::{Errno, Fd, credentials, fs, process, time};
use rocker_testing::{App, launch};
use std::ffi::CStr;

/// How an App gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// By the library.
    Library,
    /// By hand, without this step.
    Forgetting(Step),
}

/// What the library does on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looks who the master is. By hand nobody ever does.
    MasterCheck,
    /// Leaves the host's System V memory, semaphores and message queues.
    Ipc,
    /// Leaves the supplementary groups.
    Groups,
    /// Becomes the App's user.
    Identity,
    /// Drops every capability.
    Capabilities,
    /// Is not dumpable.
    NotDumpable,
}

/// Who got in.
#[derive(Clone, Copy, Debug)]
pub struct Entered {
    /// The App, a child of the case.
    pub app_pid: i32,
    /// Its guard.
    pub guard_pid: i32,
}

/// Runs the App in a new sandbox.
pub fn enter(request: &Request<'_>, entry: Entry, app: App<'_>) -> Entered {
    match entry {
        Entry::Library => {
            let launched = launch(request, app).unwrap();
            Entered {
                app_pid: launched.app_pid,
                guard_pid: launched.guard_pid,
            }
        }
        Entry::Forgetting(step) => by_hand(DEFAULT_SOCKET, request, step, app),
    }
}

/// The same by hand, by whatever listens there.
pub fn by_hand(
    socket_path: &CStr,
    request: &Request<'_>,
    forgotten: Step,
    app: App<'_>,
) -> Entered {
    let mut packet = request.encode().unwrap();
    Request::set_may_trace(&mut packet);
    let connection = socket::new().unwrap();
    socket::connect(connection.raw(), &Address::new(socket_path).unwrap()).unwrap();
    socket::pass_credentials(connection.raw()).unwrap();
    socket::send(connection.raw(), &packet, &[]).unwrap();
    let hear = |bytes: &mut [u8]| {
        time::wait_readable(connection.raw(), time::monotonic_ms() + 10_000).unwrap();
        socket::receive(connection.raw(), bytes, socket::DONT_WAIT).unwrap()
    };
    let mut reply = [0; Reply::SIZE];
    let mut received = hear(&mut reply);
    // It is ready.
    hear(&mut [0; READY_MAX]);
    let guard_pid = received.sender.unwrap().pid;
    let entrance = Reply::decode(&reply).unwrap().outcome.unwrap().entrance;
    let door = (received.fds.next().unwrap(), entrance);
    let home = fs::open(c"/proc/self/ns/pid", O_RDONLY).unwrap();
    setns(door.0.raw(), CLONE_NEWPID).unwrap();
    // SAFETY: the case has one thread.
    let app_pid = unsafe { libc::fork() };
    if app_pid == 0 {
        let status = match join(&connection, &door, request, forgotten) {
            Ok(()) => app(),
            Err(errno) => errno.raw(),
        };
        process::exit(status);
    }
    setns(home.raw(), CLONE_NEWPID).unwrap();
    Entered { app_pid, guard_pid }
}

/// What `rocker-client/src/join.rs` does, but for one step, and by pidfd only. The filter of system calls is always
/// forgotten.
fn join(
    connection: &Fd,
    (door, entrance): &(Fd, Entrance),
    request: &Request<'_>,
    forgotten: Step,
) -> Result<(), Errno> {
    let does = |step| step != forgotten;
    let me = process::pidfd_open(process::pid())?;
    socket::send(connection.raw(), &Joined.encode(), &[me.raw()])?;
    if does(Step::Groups) {
        credentials::clear_groups()?;
    }
    for kinds in entrance.doors() {
        let left = if does(Step::Ipc) { 0 } else { CLONE_NEWIPC };
        setns(door.raw(), kinds & !left)?;
    }
    if does(Step::Capabilities) {
        credentials::drop_bounding_set()?;
    }
    if does(Step::Identity) {
        credentials::set_gid(request.gid)?;
        credentials::set_uid(request.uid)?;
    }
    credentials::set_dumpable(!does(Step::NotDumpable))?;
    if does(Step::Capabilities) {
        credentials::drop_capabilities()?;
    }
    credentials::set_no_new_privs()?;
    fs::chdir(c"/")
}
