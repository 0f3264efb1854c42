//! Signatures: ours and minisign's, each checked by both.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rocker_pack::{Options, build, inspect};

use crate::fixture::Fixture;

const PAGE: usize = 4096;

/// A directory with a package, `app.sqfs`.
fn packed() -> Fixture {
    let fixture = Fixture::small();
    build(&Options::new(
        fixture.tree(),
        fixture.out().join("app.sqfs"),
    ))
    .unwrap();
    fixture
}

/// Runs a program in there, with a line on its standard input.
fn run(fixture: &Fixture, program: &str, arguments: &str, input: &str) -> Output {
    let mut command = Command::new(program);
    command
        .current_dir(fixture.out())
        .args(arguments.split_whitespace());
    command.env("SOURCE_DATE_EPOCH", "1000000000");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}: see ci/setup.sh"));
    // It may not want any.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn rocker_pack(fixture: &Fixture, arguments: &str) -> Output {
    run(fixture, env!("CARGO_BIN_EXE_rocker-pack"), arguments, "")
}

fn minisign(fixture: &Fixture, arguments: &str) -> Output {
    run(fixture, "minisign", arguments, "\n")
}

#[track_caller]
fn done(output: Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(output.status.success(), "{}: {text}", output.status);
    text
}

#[track_caller]
fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn read(fixture: &Fixture, name: &str) -> Vec<u8> {
    fs::read(fixture.out().join(name)).unwrap()
}

fn write(fixture: &Fixture, name: &str, bytes: &[u8]) {
    fs::write(fixture.out().join(name), bytes).unwrap();
}

fn change(fixture: &Fixture, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = read(fixture, name);
    change(&mut bytes);
    write(fixture, name, &bytes);
}

#[test]
fn minisign_takes_what_rocker_pack_signs() {
    let fixture = packed();
    done(rocker_pack(&fixture, "keygen -W ours"));
    done(rocker_pack(&fixture, "sign -s ours.key app.sqfs"));
    done(rocker_pack(
        &fixture,
        "sign -s ours.key --detached app.sqfs",
    ));
    change(&fixture, "app.sqfs", |bytes| {
        bytes.truncate(bytes.len() - PAGE)
    });

    let said = done(minisign(&fixture, "-V -p ours.pub -m app.sqfs"));
    assert!(
        said.contains("Trusted comment: timestamp:1000000000\tfile:app.sqfs"),
        "{said}"
    );
    change(&fixture, "app.sqfs", |bytes| bytes[5000] ^= 1);
    refused(minisign(&fixture, "-V -p ours.pub -m app.sqfs"));
}

#[test]
fn rocker_pack_takes_what_minisign_signs() {
    let fixture = packed();
    done(minisign(&fixture, "-G -W -p theirs.pub -s theirs.key"));
    done(minisign(
        &fixture,
        "-S -l -s theirs.key -t hello -m app.sqfs",
    ));

    done(rocker_pack(
        &fixture,
        "verify --detached -p theirs.pub app.sqfs",
    ));
    done(rocker_pack(
        &fixture,
        "sign --attach app.sqfs.minisig -p theirs.pub app.sqfs",
    ));
    let said = done(rocker_pack(&fixture, "verify -p theirs.pub app.sqfs"));
    assert!(said.contains("\"hello\""), "{said}");
}

#[test]
fn keys_of_either_serve_both() {
    let fixture = packed();
    done(rocker_pack(&fixture, "keygen -W ours"));
    done(minisign(&fixture, "-S -l -s ours.key -m app.sqfs"));
    done(rocker_pack(
        &fixture,
        "verify --detached -p ours.pub app.sqfs",
    ));
    done(minisign(&fixture, "-R -s ours.key -p again.pub"));
    let key = |name| {
        let text = String::from_utf8(read(&fixture, name)).unwrap();
        text.lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(key("again.pub"), key("ours.pub"));

    done(minisign(&fixture, "-G -W -p theirs.pub -s theirs.key"));
    done(rocker_pack(&fixture, "sign -s theirs.key app.sqfs"));
    done(rocker_pack(&fixture, "verify -p theirs.pub app.sqfs"));
}

#[test]
fn a_password_opens_the_secret_key_for_both() {
    let fixture = packed();
    let pack = |arguments, password| {
        run(
            &fixture,
            env!("CARGO_BIN_EXE_rocker-pack"),
            arguments,
            password,
        )
    };
    done(pack("keygen ours", "sesame\n"));
    done(pack("sign -s ours.key app.sqfs", "sesame\n"));
    refused(pack("sign -s ours.key app.sqfs", "open\n"));
    refused(pack("sign -s ours.key app.sqfs", "\n"));

    done(pack("sign -s ours.key --detached app.sqfs", "sesame\n"));
    done(run(
        &fixture,
        "minisign",
        "-S -l -s ours.key -x theirs -t x -m app.sqfs",
        "sesame\n",
    ));
    done(minisign(&fixture, "-V -p ours.pub -x theirs -m app.sqfs"));
}

#[test]
fn the_later_form_of_minisign_is_refused_with_advice() {
    let fixture = packed();
    done(minisign(&fixture, "-G -W -p theirs.pub -s theirs.key"));
    done(minisign(&fixture, "-S -s theirs.key -m app.sqfs"));
    let said = refused(rocker_pack(
        &fixture,
        "sign --attach app.sqfs.minisig -p theirs.pub app.sqfs",
    ));
    assert!(said.contains("minisign -S -l"), "{said}");
}

#[test]
fn a_signature_is_a_page_that_the_next_one_replaces() {
    let fixture = packed();
    let unsigned = read(&fixture, "app.sqfs");
    done(rocker_pack(&fixture, "keygen -W one"));
    done(rocker_pack(&fixture, "keygen -W two"));
    for key in ["one", "two", "one"] {
        done(rocker_pack(
            &fixture,
            &format!("sign -s {key}.key app.sqfs"),
        ));
        let signed = read(&fixture, "app.sqfs");
        assert_eq!(signed.len(), unsigned.len() + PAGE);
        assert!(signed.starts_with(&unsigned));
        done(rocker_pack(
            &fixture,
            &format!("verify -p {key}.pub app.sqfs"),
        ));
    }
    let first = read(&fixture, "app.sqfs");
    done(rocker_pack(&fixture, "sign -s one.key app.sqfs"));
    assert_eq!(
        read(&fixture, "app.sqfs"),
        first,
        "the same was signed again"
    );
    assert!(refused(rocker_pack(&fixture, "verify -p two.pub app.sqfs")).contains("another key"));
    done(rocker_pack(
        &fixture,
        "verify -p two.pub -p one.pub app.sqfs",
    ));
}

/// Of the point 0, for which any number is a signature of anything.
#[test]
fn a_key_for_which_anybody_can_sign_is_refused() {
    let fixture = packed();
    let key = b"untrusted comment: 0\nRWRrZXktaWQhIQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    write(&fixture, "zero.pub", key);
    let said = refused(rocker_pack(&fixture, "verify -p zero.pub app.sqfs"));
    assert!(said.contains("anybody can sign"), "{said}");
}

#[test]
fn owner_and_mode_stay() {
    let fixture = packed();
    let path = fixture.out().join("app.sqfs");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let owner = if is_root {
        1234
    } else {
        rustix::process::geteuid().as_raw()
    };
    chown(&path, Some(owner), None).unwrap();
    done(rocker_pack(&fixture, "keygen -W ours"));
    done(rocker_pack(&fixture, "sign -s ours.key app.sqfs"));
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (owner, 0o640));
}

#[test]
fn what_cannot_be_signed_stays_as_it_was() {
    let fixture = packed();
    done(rocker_pack(&fixture, "keygen -W ours"));
    let unsigned = read(&fixture, "app.sqfs");
    let names = fixture.left_behind();
    let long = "x".repeat(PAGE);
    let output = rocker_pack(&fixture, &format!("sign -s ours.key -t {long} app.sqfs"));
    assert_eq!(output.status.code(), Some(2), "the comment is too long");
    refused(rocker_pack(&fixture, "sign -s ours.pub app.sqfs"));
    refused(rocker_pack(&fixture, "sign -s missing.key app.sqfs"));
    assert_eq!(read(&fixture, "app.sqfs"), unsigned);

    change(&fixture, "app.sqfs", |bytes| bytes.push(0));
    assert!(refused(rocker_pack(&fixture, "sign -s ours.key app.sqfs")).contains("truncate"));
    write(&fixture, "app.sqfs", &unsigned[..unsigned.len() - PAGE]);
    refused(rocker_pack(&fixture, "sign -s ours.key app.sqfs"));
    refused(rocker_pack(&fixture, "sign -s ours.key ours.pub"));
    assert_eq!(fixture.left_behind(), names);
}

#[test]
fn every_part_of_a_signed_package_counts() {
    let fixture = packed();
    done(rocker_pack(&fixture, "keygen -W ours"));
    assert!(refused(rocker_pack(&fixture, "verify -p ours.pub app.sqfs")).contains("not signed"));
    done(rocker_pack(&fixture, "sign -s ours.key app.sqfs"));
    let signed = read(&fixture, "app.sqfs");
    let footer = signed.len() - PAGE;
    let places = (100..footer)
        .step_by(footer / 20)
        .chain((footer..footer + 200).step_by(7));
    for at in places.chain([signed.len() - 1]) {
        change(&fixture, "app.sqfs", |bytes| bytes[at] ^= 4);
        refused(rocker_pack(&fixture, "verify -p ours.pub app.sqfs"));
        write(&fixture, "app.sqfs", &signed);
    }
    done(rocker_pack(&fixture, "verify -p ours.pub app.sqfs"));
}

#[test]
fn a_secret_key_is_for_its_owner_and_is_not_replaced() {
    let fixture = packed();
    done(rocker_pack(&fixture, "keygen -W ours"));
    let key = read(&fixture, "ours.key");
    let mode = |name: &str| fs::metadata(fixture.out().join(name)).unwrap().mode() & 0o777;
    assert_eq!(mode("ours.key"), 0o600);
    assert!(refused(rocker_pack(&fixture, "keygen -W ours")).contains("ours.key"));
    assert_eq!(read(&fixture, "ours.key"), key);
    done(rocker_pack(&fixture, "keygen -W --force ours"));
    assert_ne!(read(&fixture, "ours.key"), key);
    assert_eq!(mode("ours.key"), 0o600);
}

#[test]
fn inspect_tells_who_says_to_have_signed() {
    let fixture = packed();
    let package = fixture.out().join("app.sqfs");
    let row = |package: &Path| {
        let text = inspect(package).unwrap().to_string();
        text.lines()
            .find(|line| line.starts_with("signature"))
            .unwrap()
            .to_owned()
    };
    assert!(row(&package).ends_with("none"));
    done(rocker_pack(&fixture, "keygen -W ours"));
    done(rocker_pack(&fixture, "sign -s ours.key -t hello app.sqfs"));
    let public = String::from_utf8(read(&fixture, "ours.pub")).unwrap();
    let id = public
        .lines()
        .next()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    let row = row(&package);
    assert!(row.contains(&id) && row.contains("\"hello\""), "{row}");
}
