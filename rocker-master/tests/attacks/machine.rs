//! The machine itself: its files, its knobs, its media.

use crate::entry::{Entry, Step};
use crate::loot::{Intruder, unfiltered};
use rocker_client::{Data, Request};
use rocker_sys::loop_device::LoopDevice;
use rocker_testing::{
    Master, Sandbox, Traces, descriptors_of, eventually, make_dir, mount, mount_tmpfs, overlays,
};
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

const PROBE: &str = "rocker-attack-probe";

/// Every top-level directory, and those that are everybody's.
fn places() -> Vec<String> {
    let top = fs::read_dir("/").unwrap();
    let names = top.map(|entry| entry.unwrap().path().display().to_string());
    names.chain(["/var/tmp".to_owned()]).collect()
}

/// Where do probes of an App's appear on the host?
fn places_written(request: &Request<'_>) -> Vec<String> {
    let places = places();
    let intruder = Intruder::send(request, Entry::Library, &|| {
        for place in &places {
            fs::write(Path::new(place).join(PROBE), "x").unwrap_or_default();
        }
        Vec::new()
    });
    intruder.end();
    let probes = places
        .into_iter()
        .map(|place| Path::new(&place).join(PROBE));
    let written = probes.filter(|probe| fs::remove_file(probe).is_ok());
    written.map(|probe| probe.display().to_string()).collect()
}

/// In place, an App sees the host's files. What it writes stays in its own layers, also where anybody may write.
pub fn s08_writing_to_the_host() {
    let _master = Master::start();
    // The case's own: the control writes there.
    for dir in ["/tmp", "/var"] {
        mount_tmpfs(dir, 0);
    }
    make_dir("/tmp", 0o1777);
    make_dir("/var/tmp", 0o1777);
    let every_directory = Request {
        overlays: overlays(&[]),
        ..unfiltered()
    };
    assert_eq!(places_written(&every_directory), [""; 0]);

    let data = Data {
        flags: Data::NO_OVERLAYS,
        ..Data::DISK
    };
    let none = Request {
        data,
        ..every_directory
    };
    let everybody_s = ["/tmp", "/var/tmp"].map(|dir| format!("{dir}/{PROBE}"));
    let written = places_written(&none);
    assert!(
        everybody_s.iter().all(|place| written.contains(place)),
        "the control: {written:?}"
    );
}

/// What owns the machine, or tells its secrets, if it can be opened: for writing the first, for reading the others.
const KNOBS: [&str; 10] = [
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hotplug",
    "/proc/sys/kernel/sysrq",
    "/proc/sys/vm/drop_caches",
    "/proc/sysrq-trigger",
    "/proc/irq/default_smp_affinity",
    "/sys/kernel/uevent_helper",
    "/sys/power/state",
    "/sys/kernel/mm/transparent_hugepage/enabled",
];
const SECRETS: [&str; 3] = ["/proc/keys", "/proc/kcore", "/proc/timer_list"];

/// Undoes what it can, and opens and holds what it can.
fn open_knobs() -> Vec<u8> {
    let writable = libc::MS_REMOUNT | libc::MS_BIND;
    for point in [
        "/proc",
        "/proc/sys",
        "/proc/sysrq-trigger",
        "/proc/irq",
        "/sys",
    ] {
        mount("", point, "", writable, "").unwrap_or_default();
    }
    for secret in SECRETS {
        let path = rocker_testing::c_path(secret);
        // SAFETY: a path that outlives the call.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
    let knobs = KNOBS.into_iter().flat_map(|knob| {
        let path = Path::new("/proc/1/root").join(&knob[1..]);
        let open = |path: &Path| OpenOptions::new().write(true).open(path).ok();
        [open(knob.as_ref()), open(&path)]
    });
    let secrets = SECRETS.into_iter().map(|secret| {
        let mut file = File::open(secret).ok()?;
        // Root may open a mask, in which there is nothing.
        std::io::Read::read(&mut file, &mut [0])
            .is_ok_and(|len| len > 0)
            .then_some(file)
    });
    for file in knobs.chain(secrets).flatten() {
        std::mem::forget(file);
    }
    Vec::new()
}

/// What of it does the App hold open, as the host sees it?
fn held(master: &Master, entry: Entry) -> Vec<String> {
    let intruder = Intruder::send(&unfiltered(), entry, &open_knobs);
    let targets = descriptors_of(intruder.app_pid).into_values();
    let is_one = |target: &String| KNOBS.iter().chain(&SECRETS).any(|known| target == known);
    let held = targets.filter(is_one).collect();
    intruder.end();
    assert_eq!(master.log(), "");
    held
}

/// Both an App, and one that a careless AppMaster has left host root.
pub fn s32_knobs_of_the_machine() {
    let root = Entry::Forgetting(Step::Identity);
    {
        let master = Master::start();
        assert_eq!(held(&master, Entry::Library), [""; 0]);
        assert_eq!(held(&master, root), [""; 0]);
    }
    let held = held(&Master::start_without("pseudo-fs"), root);
    for knob in [
        "/proc/sys/kernel/core_pattern",
        "/proc/timer_list",
        "/sys/kernel/mm/transparent_hugepage/enabled",
    ] {
        assert!(
            held.iter().any(|held| held == knob),
            "the control: {held:?}"
        );
    }
}

/// A medium that is there when a sandbox starts; does it go when the host unmounts it?
fn medium_goes() -> bool {
    make_dir("/run/medium", 0o755);
    let request = unfiltered();
    fs::copy("/run/app.sqfs", "/run/medium.sqfs").unwrap();
    {
        let file = File::open("/run/medium.sqfs").unwrap();
        let device = LoopDevice::attach(file.as_raw_fd()).unwrap();
        let path = device.path().to_str().unwrap();
        mount(path, "/run/medium", "squashfs", libc::MS_RDONLY, "").unwrap();
    }
    let devices = || Traces::now(Path::new("/run/data")).loop_devices();
    let sandbox = Sandbox::start(&request);
    assert_eq!(devices(), 2);
    // SAFETY: the kernel only reads the path.
    assert_eq!(unsafe { libc::umount(c"/run/medium".as_ptr()) }, 0);
    let limit = std::time::Instant::now() + Duration::from_secs(1);
    while devices() == 2 && std::time::Instant::now() < limit {
        std::thread::yield_now();
    }
    let gone = devices() == 1;
    sandbox.end();
    eventually("all are gone", Duration::from_secs(2), || devices() == 0);
    gone
}

/// `linux/loop.h`: the devices that these make and take away are plugged in and out for the kernel.
const LOOP_CTL_ADD: libc::Ioctl = 0x4c80;
const LOOP_CTL_REMOVE: libc::Ioctl = 0x4c81;
const DEVICE: i32 = 4711;

/// As the App sees it.
fn sees(sandbox: &Sandbox, path: &str) -> bool {
    fs::exists(format!("/proc/{}/root{path}", sandbox.app_pid())).unwrap()
}

/// `/dev` is the host's: what is plugged in while an App runs is there for it, as far as its user may use it.
pub fn s33_device_plugged_in_later() {
    let _master = Master::start();
    let control = File::open("/dev/loop-control").unwrap();
    // SAFETY: integers only.
    let plug = |call| unsafe { libc::ioctl(control.as_raw_fd(), call, DEVICE) };
    let sandbox = Sandbox::start(&unfiltered());
    let node = format!("/dev/loop{DEVICE}");
    let mut seen = vec![sees(&sandbox, &node)];
    plug(LOOP_CTL_ADD);
    seen.push(sees(&sandbox, &node));
    // Before anything that may fail: the device is the machine's.
    plug(LOOP_CTL_REMOVE);
    seen.push(sees(&sandbox, &node));
    assert_eq!(seen, [false, true, false]);
    sandbox.end();
}

/// A medium that is mounted while a sandbox runs: does the App see it? The host can unmount it in any case.
fn later_medium_is_seen() -> bool {
    make_dir("/run/medium", 0o755);
    let sandbox = Sandbox::start(&unfiltered());
    mount_tmpfs("/run/medium", 0);
    fs::write("/run/medium/file", "").unwrap();
    let is_seen = sees(&sandbox, "/run/medium/file");
    // SAFETY: the kernel only reads the path.
    assert_eq!(unsafe { libc::umount(c"/run/medium".as_ptr()) }, 0);
    assert!(!sees(&sandbox, "/run/medium/file"));
    sandbox.end();
    is_seen
}

pub fn s33_medium_plugged_in_later() {
    {
        // As a case has them: nothing is told to anybody.
        let _master = Master::start();
        assert!(!later_medium_is_seen());
    }
    mount("", "/", "", libc::MS_REC | libc::MS_SHARED, "").unwrap();
    {
        let _master = Master::start();
        assert!(later_medium_is_seen());
    }
    let _master = Master::start_without("propagation");
    assert!(!later_medium_is_seen(), "the control");
}

pub fn s33_medium_kept_busy() {
    mount("", "/", "", libc::MS_REC | libc::MS_SHARED, "").unwrap();
    {
        let _master = Master::start();
        assert!(medium_goes());
    }
    let _master = Master::start_without("propagation");
    assert!(!medium_goes(), "the control");
}
