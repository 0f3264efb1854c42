//! What the policy's file allows, and whom.

use core::ffi::CStr;
use rocker_proto::limits::OVERLAYS_MAX;
use rocker_proto::policy::Policy;
use rocker_proto::{Data, DataMode, NO_INDEX, Request, Seccomp, Stage};

const FILE: &str = "\
# Who may ask.
socket-mode 0666
\tsocket-group 1000\t# theirs
require-signature yes

[peer uid=1000]
package-dir /data/packages
package-dir /opt/my apps#1
exec-dir /run/apps
data-dir /data/apps
overlay-dir /etc
overlay-dir /var
app-uid 10000-10999
app-uid 20000
app-gid 100
sandboxes 3
launches 2
data-size 16M
require-signature no
  [peer gid=50-59]
package-dir /
[peer uid=0]
package-dir /data
";

fn parse(text: &str) -> Policy {
    Policy::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_file_says_who_may_ask() {
    let policy = parse(FILE);
    assert_eq!((policy.socket_mode(), policy.socket_group()), (0o666, 1000));
    let listed = |uid, gid| policy.peer(uid, gid).map(|peer| peer.sandboxes());
    assert_eq!(listed(1000, 1000), Some(3));
    // The first section that fits.
    assert_eq!(listed(1000, 50), Some(3));
    assert_eq!(listed(1001, 50), Some(16));
    assert_eq!(listed(1001, 59), Some(16));
    assert_eq!(listed(1001, 60), None);
    assert_eq!(listed(1001, 49), None);
    assert_eq!(listed(0, 50), Some(4096));
    assert_eq!(listed(u32::MAX, u32::MAX), None);
}

#[test]
fn a_signature_is_required_by_section_or_else_by_file() {
    let policy = parse(FILE);
    let required = |uid, gid| policy.requires_signature(policy.peer(uid, gid).unwrap());
    assert!(!required(1000, 0));
    assert!(required(1, 50));
    assert!(required(0, 0));
    let policy = Policy::ROOT_ALONE;
    assert!(!policy.requires_signature(policy.peer(0, 0).unwrap()));
}

#[test]
fn no_file_means_root_alone() {
    for policy in [Policy::ROOT_ALONE, parse("# nobody\n\n")] {
        assert_eq!((policy.socket_mode(), policy.socket_group()), (0o660, 0));
        assert!(policy.peer(1, 0).is_none());
        let root = policy.peer(0, 0).unwrap();
        assert_eq!(root.admit(b"", &request()), Ok(()));
        assert_eq!((root.sandboxes(), root.launches()), (4096, 4096));
    }
}

/// All of it allowed by `FILE` for uid 1000.
fn request() -> Request<'static> {
    let mut overlays = [None; OVERLAYS_MAX];
    overlays[1] = Some(c"/var");
    Request {
        app_id: 1,
        uid: 10_999,
        gid: 100,
        package: c"/data/packages/a/b.sqfs",
        exec_dir: c"/run/apps/x",
        data_dir: c"/data/apps",
        overlays,
        ..Request::DEFAULT
    }
}

/// Which stage refuses it, if one does.
fn refused(uid: u32, request: &Request<'_>) -> Option<(Stage, u16)> {
    let policy = parse(FILE);
    let peer = policy.peer(uid, 50).unwrap();
    let failure = peer.admit(FILE.as_bytes(), request).err()?;
    assert_eq!(failure.errno, 1, "EPERM");
    Some((failure.stage, failure.index))
}

#[test]
fn what_is_named_is_allowed() {
    assert_eq!(refused(1000, &request()), None);
    let others = [
        Request {
            uid: 20_000,
            ..request()
        },
        Request {
            package: c"/opt/my apps#1/x",
            ..request()
        },
        Request {
            package: c"/data/packages",
            ..request()
        },
        Request {
            data_dir: c"",
            ..request()
        },
    ];
    for request in others {
        assert_eq!(refused(1000, &request), None, "{request:?}");
    }
}

#[test]
fn what_is_not_named_is_refused_by_its_field() {
    let none = NO_INDEX;
    let mut overlays = [None; OVERLAYS_MAX];
    overlays[3] = Some(c"/var/lib");
    let tmpfs = |size_kib| Data {
        mode: DataMode::TMPFS,
        flags: 0,
        size_kib,
    };
    let rows = [
        (
            Request {
                package: c"/data/packages2/x",
                ..request()
            },
            Stage::PACKAGE_PATH,
            none,
        ),
        (
            Request {
                package: c"/data",
                ..request()
            },
            Stage::PACKAGE_PATH,
            none,
        ),
        (
            Request {
                exec_dir: c"/etc",
                ..request()
            },
            Stage::EXEC_DIR_PATH,
            none,
        ),
        (
            Request {
                data_dir: c"/data/packages",
                ..request()
            },
            Stage::DATA_DIR_PATH,
            none,
        ),
        (
            Request {
                overlays,
                ..request()
            },
            Stage::OVERLAY_PATH,
            3,
        ),
        (
            Request {
                uid: 9_999,
                ..request()
            },
            Stage::UID,
            none,
        ),
        (
            Request {
                uid: 11_000,
                ..request()
            },
            Stage::UID,
            none,
        ),
        (
            Request {
                gid: 101,
                ..request()
            },
            Stage::GID,
            none,
        ),
        (
            Request {
                data: tmpfs(16 * 1024 + 1),
                ..request()
            },
            Stage::DATA_SIZE,
            none,
        ),
    ];
    for (request, stage, index) in rows {
        assert_eq!(refused(1000, &request), Some((stage, index)), "{request:?}");
    }
    assert_eq!(refused(1000, &with_seccomp(Seccomp::STRICT, c"")), None);
    let largest = Request {
        data: tmpfs(16 * 1024),
        ..request()
    };
    assert_eq!(refused(1000, &largest), None);
}

fn with_seccomp(seccomp: Seccomp, policy: &'static CStr) -> Request<'static> {
    Request {
        seccomp,
        policy,
        ..request()
    }
}

#[test]
fn a_filter_is_weakened_only_where_it_is_named() {
    let off = [
        Seccomp::OFF,
        Seccomp::DEFAULT.logged(),
        Seccomp::STRICT.logged(),
    ];
    let file = with_seccomp(Seccomp::FILE, c"/etc/shadow");
    let named = FILE.replace("launches 2\n", "launches 2\nseccomp /etc\nseccomp off\n");
    let with = |text: &str, request: &Request<'_>| {
        let policy = parse(text);
        let peer = policy.peer(1000, 0).unwrap();
        peer.admit(text.as_bytes(), request)
            .err()
            .map(|it| it.stage)
    };
    for seccomp in off {
        let request = with_seccomp(seccomp, c"");
        assert_eq!(with(FILE, &request), Some(Stage::SECCOMP), "{seccomp:?}");
        assert_eq!(with(&named, &request), None, "{seccomp:?}");
    }
    assert_eq!(with(FILE, &file), Some(Stage::SECCOMP_POLICY));
    assert_eq!(with(&named, &file), None);
    let logged = with_seccomp(Seccomp::FILE.logged(), c"/etc/x");
    let file_alone = named.replace("seccomp off\n", "");
    assert_eq!(with(&file_alone, &logged), Some(Stage::SECCOMP));
}

#[test]
fn a_section_that_names_nothing_allows_nothing() {
    let field = |request: &Request<'_>| refused(1, request).unwrap().0;
    assert_eq!(field(&request()), Stage::EXEC_DIR_PATH);
}

#[test]
fn of_root_only_what_is_named_is_limited() {
    assert_eq!(refused(0, &request()), None);
    let elsewhere = Request {
        package: c"/home/x",
        ..request()
    };
    assert_eq!(refused(0, &elsewhere).unwrap().0, Stage::PACKAGE_PATH);
    let huge = Data {
        mode: DataMode::TMPFS,
        flags: 0,
        size_kib: u32::MAX,
    };
    let huge = Request {
        data: huge,
        ..request()
    };
    assert_eq!(refused(0, &huge), None);
}
