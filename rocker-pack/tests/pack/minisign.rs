//! Signatures and keys, ours and minisign's: each is taken by both.

use crate::signing::{PAGE, change, done, minisign, packed, read, refused, rocker_pack, run};

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
