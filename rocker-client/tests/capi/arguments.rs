//! Failures that the caller's own arguments, limits and environment cause.

use crate::probe::{ALL, ENTER, PROGRAM, Probe, failed, fails, fails_alone};
use rocker_testing::Master;

const PARAM_INVALID: i32 = 2;
const SERVER_UNADDR_INVALID: i32 = 3;
const GEN_LOCAL_ADDR_FAILED: i32 = 4;
const SEND_REQ_FAILED: i32 = 5;
const BUILD_ROCKER_FAILED: i32 = 7;

pub fn null_request() {
    fails(
        ALL,
        &["null=req"],
        &failed(PARAM_INVALID, 81, libc::EFAULT, "argument: EFAULT"),
    );
}

pub fn null_app() {
    fails(
        ENTER,
        &["null=app"],
        &failed(PARAM_INVALID, 81, libc::EFAULT, "argument: EFAULT"),
    );
}

pub fn null_path_arguments_or_descriptors_of_a_program() {
    for change in ["path=", "null=argv", "null=keep"] {
        fails(
            PROGRAM,
            &[change],
            &failed(PARAM_INVALID, 81, libc::EFAULT, "argument: EFAULT"),
        );
    }
}

/// 3 is the number that the library's first descriptor gets.
pub fn descriptor_to_keep_is_not_open() {
    for change in ["keep=3", "keep=-1", "keep=500"] {
        fails(
            PROGRAM,
            &[change],
            &failed(PARAM_INVALID, 81, libc::EBADF, "argument: EBADF"),
        );
    }
}

pub fn socket_path_too_long() {
    let expected = failed(
        SERVER_UNADDR_INVALID,
        64,
        libc::ENAMETOOLONG,
        "socket-path: ENAMETOOLONG",
    );
    socket(&format!("/{}", "s".repeat(107)), &expected);
}

pub fn socket_path_of_the_largest_length_is_tried() {
    let expected = failed(SEND_REQ_FAILED, 66, libc::ENOENT, "connect: ENOENT");
    socket(&format!("/{}", "s".repeat(106)), &expected);
}

pub fn socket_path_is_empty() {
    socket(
        "",
        &failed(
            SERVER_UNADDR_INVALID,
            64,
            libc::EINVAL,
            "socket-path: EINVAL",
        ),
    );
}

/// `ROCKER_SOCKET` is for the whole process: the probe inherits it.
fn socket(path: &str, expected: &crate::probe::Failed) {
    // SAFETY: the case's process has one thread.
    unsafe { std::env::set_var("ROCKER_SOCKET", path) };
    fails_alone(ALL, &[], expected);
}

pub fn no_descriptor_for_the_socket() {
    let expected = failed(GEN_LOCAL_ADDR_FAILED, 65, libc::EMFILE, "socket: EMFILE");
    fails(ALL, &["nofile=3"], &expected);
}

/// Whichever descriptor is the first that is not to be had, the launch fails whole. The probe checks what it leaves.
pub fn any_limit_of_descriptors_fails_cleanly_or_suffices() {
    let _master = Master::start();
    let probe = Probe::new();
    for door in ALL {
        let mut failures = 0;
        for limit in 3..64 {
            let said = probe.says(door, &[&format!("nofile={limit}")]);
            if said == "0 0" {
                break;
            }
            // A socket, the answer's descriptors, plumbing, or the child's own pidfd.
            let code = said.split(' ').next().unwrap();
            assert!(["4", "6", "1", "8"].contains(&code), "{door}: {said}");
            failures += 1;
        }
        assert!((4..30).contains(&failures), "{door}: {failures}");
        assert_eq!(probe.says(door, &[]), "0 0");
    }
}

pub fn request_too_large_for_a_packet() {
    let long = format!("package=/{}", "p".repeat(5000));
    fails(
        ALL,
        &[&long],
        &failed(SEND_REQ_FAILED, 68, libc::E2BIG, "request-size: E2BIG"),
    );
}

pub fn ids_out_of_range() {
    for id in ["0", "-1", "-2147483648"] {
        for (field, stage, text) in [
            ("app_id", 17, "app-id: EINVAL"),
            ("uid", 18, "uid: EINVAL"),
            ("gid", 19, "gid: EINVAL"),
        ] {
            let expected = failed(BUILD_ROCKER_FAILED, stage, libc::EINVAL, text);
            fails(&["enter"], &[&format!("{field}={id}")], &expected);
        }
    }
}

pub fn paths_relative_or_missing() {
    for (field, stage, text) in [
        ("package", 20, "package-path: EINVAL"),
        ("exec", 21, "exec-dir-path: EINVAL"),
        ("data", 22, "data-dir-path: EINVAL"),
    ] {
        let expected = failed(BUILD_ROCKER_FAILED, stage, libc::EINVAL, text);
        for value in ["", "relative", "/run/../run/app.sqfs", "/run//exec"] {
            fails(&["enter"], &[&format!("{field}={value}")], &expected);
        }
    }
}

pub fn overlay_is_refused_by_its_index() {
    let mut expected = failed(
        BUILD_ROCKER_FAILED,
        23,
        libc::EINVAL,
        "overlay-path[2]: EINVAL",
    );
    expected.index = 2;
    fails(ALL, &["overlay2=relative"], &expected);
}

pub fn package_is_not_there() {
    let expected = failed(
        BUILD_ROCKER_FAILED,
        35,
        libc::ENOENT,
        "open-package: ENOENT",
    );
    fails(ALL, &["package=/run/nothing.sqfs"], &expected);
}

pub fn package_is_something_else() {
    std::fs::write("/run/text.sqfs", "x".repeat(8192)).unwrap();
    let expected = failed(
        BUILD_ROCKER_FAILED,
        36,
        libc::EMEDIUMTYPE,
        "package-format: EMEDIUMTYPE",
    );
    fails(ALL, &["package=/run/text.sqfs"], &expected);
}
