//! Who may do what in an overlaid directory.

use rocker_client::Request;
use rocker_testing::{
    Case, Master, ask, errno_of, make_dir, mount, overlays, request, run_cases_on_both_kernels,
};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "the_app_owns_the_top_of_an_overlay",
        the_app_owns_the_top_of_an_overlay,
    ),
    (
        "protected_directories_below_stay_closed",
        protected_directories_below_stay_closed,
    ),
    (
        "the_default_list_opens_nothing",
        the_default_list_opens_nothing,
    ),
    (
        "a_named_closed_directory_is_opened",
        a_named_closed_directory_is_opened,
    ),
];

fn the_app_owns_the_top_of_an_overlay() {
    make_dir("/run/top", 0o755);
    let request = Request {
        uid: 1234,
        gid: 4321,
        overlays: overlays(&[c"/run/top"]),
        ..request()
    };
    let _master = Master::start();
    let owner = ask(&request, &|| {
        fs::create_dir("/run/top/mine").unwrap();
        let top = fs::metadata("/run/top").unwrap();
        format!("{} {} {:o}", top.uid(), top.gid(), top.mode() & 0o7777)
    });
    assert_eq!(owner, "1234 4321 755");
    let upper = fs::metadata("/run/data/.rocker/run+top/upper").unwrap();
    assert_eq!((upper.uid(), upper.gid()), (1234, 4321));
    assert_eq!(fs::metadata("/run/top").unwrap().uid(), 0);
}

fn protected_directories_below_stay_closed() {
    make_dir("/run/top/secret", 0o700);
    fs::write("/run/top/secret/key", "k").unwrap();
    fs::write("/run/top/root-s", "r").unwrap();
    let request = Request {
        overlays: overlays(&[c"/run/top"]),
        ..request()
    };
    let _master = Master::start();
    let errors = ask(&request, &|| {
        let errors = [
            errno_of(fs::read("/run/top/secret/key")),
            errno_of(fs::read_dir("/run/top/secret")),
            errno_of(fs::write("/run/top/root-s", "a")),
        ];
        format!("{errors:?}")
    });
    assert_eq!(errors, format!("{:?}", [Some(libc::EACCES); 3]));
}

fn the_default_list_opens_nothing() {
    // First: its program may lie in /root.
    let _master = Master::start();
    mount("tmpfs", "/root", "tmpfs", 0, "mode=700").unwrap();
    let request = Request {
        overlays: [None; 16],
        ..request()
    };
    // Root is not mapped, so it shows as nobody.
    let seen = ask(&request, &|| {
        let root = fs::metadata("/root").unwrap();
        let error = errno_of(fs::read_dir("/root"));
        format!("{} {:o} {error:?}", root.uid(), root.mode() & 0o7777)
    });
    assert_eq!(seen, format!("65534 700 {:?}", Some(libc::EACCES)));
}

fn a_named_closed_directory_is_opened() {
    make_dir("/run/closed", 0o700);
    fs::write("/run/closed/file", "x").unwrap();
    let request = Request {
        overlays: overlays(&[c"/run/closed"]),
        ..request()
    };
    let _master = Master::start();
    let names = ask(&request, &|| {
        let entries = fs::read_dir("/run/closed").unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    });
    assert_eq!(names, "file");
    assert_eq!(fs::metadata("/run/closed").unwrap().mode() & 0o777, 0o700);
}
