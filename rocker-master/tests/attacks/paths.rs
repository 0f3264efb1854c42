//! Paths of a request that a local user has a hand in.

use crate::swapper::Swapper;
use crate::victim::Victim;
use rocker_client::Request;
use rocker_testing::{
    Master, Refusal, ask, c_path, launch, make_dir, mount, overlays, refuse_calls, request,
    wait_for, with_data_dir, with_exec_dir, with_overlays, with_package,
};
use std::fs;
use std::os::unix::fs::{chown, symlink};

/// How many launches a swapper has.
const LAUNCHES: usize = 2_000;

const VICTIM: [&str; 4] = [
    "/run/victim",
    "/run/victim/exec",
    "/run/victim/data",
    "/run/victim/over",
];

/// `/run/u` is user 1000's: `place` with all that a launch needs, and a link to root's own directory, which holds the same.
fn make_places() {
    for dir in ["exec", "data", "over"] {
        make_dir(format!("/run/u/place/{dir}"), 0o755);
    }
    for dir in ["/run/u/place", "/run/victim"] {
        fs::copy("/run/app.sqfs", format!("{dir}/app.sqfs")).unwrap();
    }
    symlink("/run/victim", "/run/u/link").unwrap();
    for path in ["/run/u", "/run/u/place"] {
        chown(path, Some(1000), Some(1000)).unwrap();
    }
}

/// What came of the launches, and what root's directory saw of them.
struct Outcome {
    served: usize,
    refused: usize,
    seen: Vec<String>,
}

/// Launches with one path after the other by way of the exchanged directory, until the victim has seen something.
fn launch_under_swapper(victim: &mut Victim) -> Outcome {
    let plain = request();
    let requests: [Request<'_>; 4] = [
        with_package(&plain, c"/run/u/place/app.sqfs"),
        with_exec_dir(&plain, c"/run/u/place/exec"),
        with_data_dir(&plain, c"/run/u/place/data"),
        with_overlays(&plain, &[c"/etc", c"/run/u/place/over"]),
    ];
    let mut outcome = Outcome {
        served: 0,
        refused: 0,
        seen: victim.events(),
    };
    assert_eq!(outcome.seen, [""; 0]);
    let swapper = Swapper::start("/run/u/place", "/run/u/link");
    for request in requests.iter().cycle().take(LAUNCHES) {
        match launch(request, &|| 0) {
            Ok(launched) => {
                outcome.served += 1;
                assert_eq!(wait_for(launched.app_pid), 0);
            }
            Err(_) => outcome.refused += 1,
        }
        outcome.seen = victim.events();
        if !outcome.seen.is_empty() {
            break;
        }
    }
    swapper.end();
    outcome
}

/// CVE-2021-30465 and its kin: a directory that becomes a symbolic link between a check and a mount.
pub fn s09_exchanged_directories() {
    request();
    let mut victim = Victim::watch(&VICTIM);
    make_places();
    victim.events();
    {
        let _master = Master::start();
        let outcome = launch_under_swapper(&mut victim);
        assert_eq!(outcome.seen, [""; 0]);
        // Else nothing was exchanged in the middle of anything.
        assert!(outcome.served > LAUNCHES / 20, "{} served", outcome.served);
        assert!(
            outcome.refused > LAUNCHES / 20,
            "{} refused",
            outcome.refused
        );
    }
    let _master = Master::start_without("symlinks");
    let outcome = launch_under_swapper(&mut victim);
    assert_ne!(outcome.seen, [""; 0], "the control");
}

pub fn s09_exchanged_directories_without_openat2() {
    refuse_calls(&[Refusal::of(libc::SYS_openat2, libc::ENOSYS)]);
    s09_exchanged_directories();
}

/// A directory whose name is the end of one mount option and the beginning of the next.
const NAME: &str = "/run/d,upperdir=/run/victim";

/// moby#40939: `upperdir=%s,workdir=%s`. The last `upperdir` counts, and that is root's own directory.
pub fn s10_mount_options_in_a_name() {
    let plain = request();
    for dir in ["/run/d", "/run/lower", "/run/mounted"] {
        make_dir(dir, 0o755);
    }
    make_dir(NAME, 0o755);
    let mut victim = Victim::watch(&["/run/victim", "/run/victim/upper", "/run/victim/work"]);
    victim.events();
    let data_dir = c_path(NAME);
    let overlay = c_path(NAME);
    let request = Request {
        data_dir: &data_dir,
        overlays: overlays(&[c"/etc", &overlay]),
        ..plain
    };
    {
        let _master = Master::start();
        ask(&request, &|| {
            fs::write("/etc/new", "x").unwrap();
            String::new()
        });
    }
    assert_eq!(victim.events(), [""; 0]);
    assert!(fs::exists(format!("{NAME}/.rocker/etc/upper/new")).unwrap());

    // What the original gives the kernel for it.
    let options = format!("lowerdir=/run/lower,upperdir={NAME}/upper,workdir={NAME}/work");
    mount("overlay", "/run/mounted", "overlay", 0, &options).unwrap();
    fs::write("/run/mounted/new", "x").unwrap();
    assert!(fs::exists("/run/victim/work/new").unwrap(), "the control");
}
