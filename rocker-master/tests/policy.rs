//! Who may ask for what, by the policy's file. Peers are processes of their own uid.

use rocker_client::{CacheRequest, Data, DataMode, Failure, NO_INDEX, Request, Seccomp, Stage};
use rocker_proto::Reply;
use rocker_testing::{
    Case, Master, Peer, SOON, as_user, eventually, make_dir, overlays, request, run_cases,
    with_data_dir, with_exec_dir, with_ids, with_overlays, with_package,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "a_peer_that_is_not_listed_is_refused",
        a_peer_that_is_not_listed_is_refused,
    ),
    ("a_listed_uid_is_served", a_listed_uid_is_served),
    ("a_listed_gid_is_served", a_listed_gid_is_served),
    (
        "what_is_not_allowed_is_refused_by_its_field",
        what_is_not_allowed_is_refused,
    ),
    ("dots_lead_out_of_nothing", dots_lead_out_of_nothing),
    (
        "a_user_s_link_leads_out_of_nothing",
        a_user_s_link_leads_out_of_nothing,
    ),
    (
        "a_link_of_root_s_leads_where_root_wants",
        a_link_of_root_s_leads_where_root_wants,
    ),
    (
        "root_is_limited_only_where_it_is_named",
        root_is_limited_only_where_it_is_named,
    ),
    (
        "the_cache_s_operator_is_root_alone",
        the_cache_s_operator_is_root_alone,
    ),
];

/// For uid 1000, what [`request`] asks for.
const USUAL: &str = "
socket-mode 0666
[peer uid=1000]
package-dir /run/app.sqfs
package-dir /run/packages
exec-dir /run/exec
data-dir /run/data
overlay-dir /etc
app-uid 1000
app-gid 1000
";

const NOT_LISTED: Failure = Failure::new(Stage::PEER, libc::EPERM);

/// What a peer of this uid hears for a request: its refusal, or none.
fn ask(uid: u32, request: &Request<'_>) -> Option<Failure> {
    let answer = "/run/answer";
    let packet = request.encode().unwrap();
    let told = fs::File::create(answer).unwrap();
    let status = as_user(uid, || {
        let peer = Peer::connect().unwrap();
        // Refused before it was sent.
        peer.send(&packet).unwrap_or_default();
        std::io::Write::write_all(&mut (&told), &peer.receive(SOON)).unwrap();
        0
    });
    assert_eq!(status, 0);
    let reply = Reply::decode(&fs::read(answer).unwrap()).unwrap();
    reply.outcome.err()
}

/// Until the guards of peers that never joined are gone.
fn settle(master: &Master) {
    eventually("no guard is left", SOON, || master.guards().is_empty());
}

fn a_peer_that_is_not_listed_is_refused() {
    let master = Master::start_with_policy(USUAL);
    for uid in [1, 999, 1001, 65_534] {
        assert_eq!(ask(uid, &request()), Some(NOT_LISTED));
    }
    eventually("each is logged", SOON, || master.log().lines().count() == 4);
    assert!(master.guards().is_empty());
}

fn a_listed_uid_is_served() {
    let master = Master::start_with_policy(USUAL);
    assert_eq!(ask(1000, &request()), None);
    assert_eq!(ask(0, &request()), None);
    settle(&master);
    // Peers that leave as soon as they hear READY may be missed by their guards.
    let log = master.log();
    assert!(
        log.lines().all(|line| line.contains(" stage=vanished ")),
        "{log}"
    );
}

fn a_listed_gid_is_served() {
    let master = Master::start_with_policy(&USUAL.replace("uid=1000]", "gid=1000-1001]"));
    assert_eq!(ask(1001, &request()), None);
    assert_eq!(ask(1002, &request()), Some(NOT_LISTED));
    settle(&master);
}

fn what_is_not_allowed_is_refused() {
    make_dir("/run/packages2", 0o755);
    fs::copy("/bin/true", "/run/packages2/x").unwrap();
    let master = Master::start_with_policy(USUAL);
    let good = request();
    let tmpfs = Data {
        mode: DataMode::TMPFS,
        flags: 0,
        size_kib: 4097,
    };
    let rows = [
        (
            with_package(&good, c"/run/packages2/x"),
            Stage::PACKAGE_PATH,
            NO_INDEX,
            " path=\"/run/packages2/x\"",
        ),
        (
            with_exec_dir(&good, c"/run"),
            Stage::EXEC_DIR_PATH,
            NO_INDEX,
            " path=\"/run\"",
        ),
        (
            with_data_dir(&good, c"/run/database"),
            Stage::DATA_DIR_PATH,
            NO_INDEX,
            " path=\"/run/database\"",
        ),
        (
            with_overlays(&good, &[c"/etc", c"/root"]),
            Stage::OVERLAY_PATH,
            1,
            " path=\"/root\"",
        ),
        (
            with_overlays(&good, &[c"/etc/ssl"]),
            Stage::OVERLAY_PATH,
            0,
            " path=\"/etc/ssl\"",
        ),
        (with_ids(&good, 7, 1001, 1000), Stage::UID, NO_INDEX, ""),
        (with_ids(&good, 7, 1000, 999), Stage::GID, NO_INDEX, ""),
        (
            Request {
                seccomp: Seccomp::FILE,
                policy: c"/etc/shadow",
                ..good
            },
            Stage::SECCOMP_POLICY,
            NO_INDEX,
            " path=\"/etc/shadow\"",
        ),
        (
            Request {
                data: tmpfs,
                ..good
            },
            Stage::DATA_SIZE,
            NO_INDEX,
            "",
        ),
    ];
    for (request, stage, index, path) in rows {
        let refused = Failure::indexed(stage, libc::EPERM, index);
        assert_eq!(ask(1000, &request), Some(refused));
        let number = match index {
            NO_INDEX => String::new(),
            index => format!("[{index}]"),
        };
        let line = format!(
            " uid=1000 stage={}{number}{path} errno=EPERM(1)\n",
            stage.name()
        );
        eventually(&line, SOON, || master.log().ends_with(&line));
    }
    assert!(master.guards().is_empty());
}

fn dots_lead_out_of_nothing() {
    let _master = Master::start_with_policy(USUAL);
    let good = request();
    make_dir("/run/packages", 0o755);
    for path in [
        c"/run/packages/../app.sqfs",
        c"/run/packages/..",
        c"/run/packages/./../app.sqfs",
        c"/run/packages//app.sqfs",
        c"/run/packages/",
    ] {
        let refused = Failure::new(Stage::PACKAGE_PATH, libc::EINVAL);
        assert_eq!(ask(1000, &with_package(&good, path)), Some(refused));
    }
    let refused = Failure::new(Stage::DATA_DIR_PATH, libc::EINVAL);
    let out = with_data_dir(&good, c"/run/data/../exec");
    assert_eq!(ask(1000, &out), Some(refused));
}

fn a_user_s_link_leads_out_of_nothing() {
    let good = request();
    make_dir("/run/packages", 0o777);
    make_dir("/run/secret", 0o700);
    fs::rename("/run/app.sqfs", "/run/secret/app.sqfs").unwrap();
    let master = Master::start_with_policy(USUAL);
    let status = as_user(1000, || {
        symlink("/run/secret", "/run/packages/dir").unwrap();
        symlink("/run/secret/app.sqfs", "/run/packages/file").unwrap();
        0
    });
    assert_eq!(status, 0);
    // What root put into a directory that others can write may have been put there for root by others.
    symlink("/run/secret/app.sqfs", "/run/packages/by-root").unwrap();
    for path in [
        c"/run/packages/dir/app.sqfs",
        c"/run/packages/file",
        c"/run/packages/by-root",
    ] {
        let refused = Failure::new(Stage::OPEN_PACKAGE, libc::ELOOP);
        assert_eq!(ask(1000, &with_package(&good, path)), Some(refused));
    }
    settle(&master);
}

fn a_link_of_root_s_leads_where_root_wants() {
    let good = request();
    make_dir("/run/packages", 0o755);
    make_dir("/run/elsewhere", 0o755);
    fs::rename("/run/app.sqfs", "/run/elsewhere/app.sqfs").unwrap();
    symlink("/run/elsewhere", "/run/packages/link").unwrap();
    let master = Master::start_with_policy(USUAL);
    let by_link = with_package(&good, c"/run/packages/link/app.sqfs");
    assert_eq!(ask(1000, &by_link), None);
    let by_name = with_package(&good, c"/run/elsewhere/app.sqfs");
    let refused = Failure::new(Stage::PACKAGE_PATH, libc::EPERM);
    assert_eq!(ask(1000, &by_name), Some(refused));
    settle(&master);
}

fn root_is_limited_only_where_it_is_named() {
    let master = Master::start_with_policy("[peer uid=0]\ndata-dir /run/other\n");
    let refused = Failure::new(Stage::DATA_DIR_PATH, libc::EPERM);
    assert_eq!(ask(0, &request()), Some(refused));
    let no_data = Request {
        overlays: overlays(&[]),
        data_dir: c"",
        data: Data {
            flags: Data::NO_OVERLAYS,
            ..Data::DISK
        },
        ..request()
    };
    assert_eq!(ask(0, &no_data), None);
    settle(&master);
}

fn the_cache_s_operator_is_root_alone() {
    let _master = Master::start_with_policy(USUAL);
    let answer = |uid| {
        as_user(uid, || {
            let peer = Peer::connect().unwrap();
            peer.send(&CacheRequest::Drop.encode()).unwrap();
            i32::from(peer.refusal(SOON) == Some(NOT_LISTED))
        })
    };
    assert_eq!(answer(1000), 1);
    assert_eq!(answer(0), 0);
}
