//! An AppMaster that is not root, and would be: it owns the user namespace of its sandbox, and with it every capability in
//! there. It looks into whatever builds that sandbox as root.

use rocker_client::Request;
use rocker_sys::{process, time};
use rocker_testing::{
    Master, POLICY, as_user, become_user, eventually, launch, pipe, request, wait_for,
    weakened_master, with_ids,
};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

const USER: u32 = 1000;
const APP: u32 = 2000;
const LAUNCHES: usize = 300;

const PEERS: &str = "socket-mode 0666
[peer uid=1000]
package-dir /run/app.sqfs
exec-dir /run/exec
data-dir /run/data
overlay-dir /etc
app-uid 2000
app-gid 2000
";

/// The parent of a process, as anybody may see it.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(") ")?.1;
    after_name.split(' ').nth(1)?.parse().ok()
}

/// The first bytes of the master's program, where it lies in memory. Whoever the master has cloned has them too.
fn reads_program_of(pid: i32, place: usize) -> bool {
    let mut head = [0u8; 4];
    let local = libc::iovec {
        iov_base: head.as_mut_ptr().cast(),
        iov_len: head.len(),
    };
    let remote = libc::iovec {
        iov_base: place as *mut libc::c_void,
        iov_len: head.len(),
    };
    // SAFETY: the kernel writes four bytes to our array; the remote address is another process's.
    unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    &head == b"\x7fELF"
}

fn traces(pid: i32) -> bool {
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: attaching has no effect on this process.
    unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, null, null) == 0 }
}

/// Looks at every process that the master makes, until told to stop; writes a letter for each look, another for each
/// success.
fn spy(master: i32, place: usize, stopped: &File, mut tell: &File) {
    while time::wait_readable(stopped.as_raw_fd(), 0).is_err() {
        let names = fs::read_dir("/proc").unwrap();
        let pids = names.filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok());
        for pid in pids.filter(|pid| parent_of(*pid) == Some(master)) {
            let memory = File::open(format!("/proc/{pid}/mem")).is_ok();
            let got_in = memory || reads_program_of(pid, place) || traces(pid);
            tell.write_all(if got_in { b"!" } else { b"." }).unwrap();
        }
    }
}

fn place_of_program(pid: i32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    usize::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap()
}

fn launch_often(request: &Request<'_>) -> i32 {
    for _ in 0..LAUNCHES {
        // Guards that are traced stay on the table, and then a user soon has as many as it may.
        if let Ok(launched) = launch(request, &|| 0) {
            assert_eq!(wait_for(launched.app_pid), 0);
        }
    }
    0
}

/// What the spy saw of many launches of its own: a letter for each look.
fn looks(master: &Master, request: &Request<'_>) -> String {
    let (stopped, mut stop) = pipe();
    let (mut told, tell) = pipe();
    let place = place_of_program(master.pid());
    // SAFETY: the case has one thread.
    let spy_pid = unsafe { libc::fork() };
    if spy_pid == 0 {
        become_user(USER);
        spy(master.pid(), place, &stopped, &tell);
        process::exit(0);
    }
    drop(tell);
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        told.read_to_string(&mut text).unwrap();
        text
    });
    assert_eq!(as_user(USER, || launch_often(request)), 0);
    stop.write_all(b".").unwrap();
    assert_eq!(wait_for(spy_pid), 0);
    eventually("no guard is left", Duration::from_secs(5), || {
        master.guards().is_empty()
    });
    reader.join().unwrap()
}

/// CVE-2019-11503 and its kin: what sets up as root may not be traced by whom it sets up for.
pub fn s31_building_processes() {
    let request = with_ids(&request(), 7, APP, APP);
    {
        let master = Master::start_with_policy(PEERS);
        let looks = looks(&master, &request);
        assert!(looks.len() > LAUNCHES / 20, "{} looks", looks.len());
        assert!(!looks.contains('!'), "{looks}");
    }
    fs::write(POLICY, PEERS).unwrap();
    let mut command = Command::new(weakened_master());
    command.args(["--cache-idle", "0", "--config", POLICY]);
    command.args(["--without", "not-dumpable"]);
    let looks = looks(&Master::start_command(command), &request);
    assert!(looks.contains('!'), "the control");
}
