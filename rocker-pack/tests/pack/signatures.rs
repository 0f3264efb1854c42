//! Signed packages, and the keys for them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use rocker_pack::inspect;

use crate::signing::{PAGE, change, done, packed, read, refused, rocker_pack, write};

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
