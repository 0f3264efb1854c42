//! User namespaces: one for all sandboxes of an App, and none for two Apps.

use rocker_client::Request;
use rocker_testing::{Case, Master, Sandbox, ask, request, run_cases_on_both_kernels, with_ids};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "sandboxes_of_one_app_share_theirs",
        sandboxes_of_one_app_share_theirs,
    ),
    (
        "another_app_user_or_group_has_another",
        another_app_user_or_group_has_another,
    ),
    ("more_apps_than_are_held_all_run", more_apps_than_are_held),
    (
        "a_shared_one_gives_no_way_to_the_other_sandbox",
        a_shared_one_gives_no_way,
    ),
];

/// The user namespace of the App, and of its guard.
fn namespace_of(sandbox: &Sandbox) -> PathBuf {
    let [app, guard] = [sandbox.app_pid(), sandbox.guard_pid()]
        .map(|pid| fs::read_link(format!("/proc/{pid}/ns/user")).unwrap());
    assert_eq!(app, guard);
    assert_ne!(app, fs::read_link("/proc/self/ns/user").unwrap());
    app
}

fn sandboxes_of_one_app_share_theirs() {
    let _master = Master::start();
    let first = Sandbox::start(&request());
    let second = Sandbox::start(&request());
    assert_eq!(namespace_of(&first), namespace_of(&second));
    first.end();
    second.end();
    let ids = ask(&request(), &|| {
        let [uid, gid] = ["uid_map", "gid_map"]
            .map(|map| fs::read_to_string(format!("/proc/self/{map}")).unwrap());
        let setgroups = fs::read_to_string("/proc/self/setgroups").unwrap();
        let words = [uid, gid, setgroups].join(" ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    let Request { uid, gid, .. } = request();
    assert_eq!(ids, format!("{uid} {uid} 1 {gid} {gid} 1 deny"));
}

fn another_app_user_or_group_has_another() {
    let _master = Master::start();
    let Request {
        app_id, uid, gid, ..
    } = request();
    let all = [
        (app_id, uid, gid),
        (app_id + 1, uid, gid),
        (app_id, uid + 1, gid),
        (app_id, uid, gid + 1),
    ];
    let sandboxes =
        all.map(|(app_id, uid, gid)| Sandbox::start(&with_ids(&request(), app_id, uid, gid)));
    let mut namespaces: Vec<_> = sandboxes.iter().map(namespace_of).collect();
    namespaces.sort();
    namespaces.dedup();
    assert_eq!(namespaces.len(), all.len());
    sandboxes.into_iter().for_each(Sandbox::end);
}

fn more_apps_than_are_held() {
    let _master = Master::start();
    let Request { uid, gid, .. } = request();
    // Twice round: nothing that has been let go is found.
    for app_id in (1..=20).chain(1..=20) {
        let request = with_ids(&request(), app_id, uid, gid);
        assert_eq!(ask(&request, &|| "here".to_owned()), "here");
    }
}

/// The same user in the same user namespace is still in a pid namespace of its own.
fn a_shared_one_gives_no_way() {
    let _master = Master::start();
    let victim = Sandbox::start(&request());
    let seen = ask(&request(), &|| {
        let entries = fs::read_dir("/proc").unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut pids: Vec<_> = names.filter(|name| name.parse::<u32>().is_ok()).collect();
        pids.sort();
        // SAFETY: integers only. To everybody that it may signal but itself: that is nobody.
        let killed = unsafe { libc::kill(-1, libc::SIGKILL) };
        format!("{} {killed}", pids.join(" "))
    });
    assert_eq!(seen, "1 2 -1");
    victim.end();
}
