//! Signed packages: who is let in, and what is looked at before.

use rocker_client::Stage;
use rocker_testing::{
    Case, KEYS, Master, POLICY, SIGNED, Signer, as_user, change_package, launch, package_starts,
    request, run_cases_on_both_kernels, signature_refusal, signed_request, strict_command,
    strict_master,
};
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    ("a_signed_package_starts", a_signed_package_starts),
    (
        "what_is_not_signed_is_refused",
        what_is_not_signed_is_refused,
    ),
    (
        "nothing_is_mounted_before_it_is_verified",
        nothing_is_mounted_before,
    ),
    (
        "what_others_can_write_is_refused",
        what_others_can_write_is_refused,
    ),
    (
        "keys_that_cannot_be_trusted_stop_everything",
        keys_that_cannot_be_trusted,
    ),
    (
        "a_policy_can_ask_for_signatures",
        a_policy_can_ask_for_signatures,
    ),
];

const PAGE: usize = 4096;

fn a_signed_package_starts() {
    let (_, request) = signed_request();
    let _master = strict_master(0);
    assert!(package_starts(&request));
    assert!(package_starts(&request));
}

fn what_is_not_signed_is_refused() {
    let (signer, request) = signed_request();
    let signed = fs::read(SIGNED).unwrap();
    let footer = signed.len() - PAGE;
    let _master = strict_master(0);
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let rows: [(&str, Change<'_>, i32); 9] = [
        ("no footer", &|bytes| bytes.truncate(footer), libc::ENODATA),
        (
            "half a footer",
            &|bytes| bytes.truncate(footer + 2048),
            libc::ENODATA,
        ),
        (
            "less than a page",
            &|bytes| bytes.truncate(100),
            libc::ENODATA,
        ),
        ("nothing", &|bytes| bytes.clear(), libc::ENODATA),
        ("something behind", &|bytes| bytes.push(0), libc::ENODATA),
        (
            "another length",
            &|bytes| bytes[footer + 17] ^= 1,
            libc::EBADMSG,
        ),
        (
            "another key",
            &|bytes| bytes[footer + 26] ^= 1,
            libc::ENOKEY,
        ),
        (
            "another comment",
            &|bytes| bytes[footer + 162] ^= 1,
            libc::EKEYREJECTED,
        ),
        (
            "another content",
            &|bytes| bytes[1000] ^= 1,
            libc::EKEYREJECTED,
        ),
    ];
    for (what, wrong, errno) in rows {
        change_package(wrong);
        assert_eq!(signature_refusal(&request), errno, "{what}");
        fs::write(SIGNED, &signed).unwrap();
    }
    Signer::new("stranger", false).sign(SIGNED);
    assert_eq!(signature_refusal(&request), libc::ENOKEY);
    signer.sign(SIGNED);
    assert!(package_starts(&request));
}

fn nothing_is_mounted_before() {
    let (_, request) = signed_request();
    let master = strict_master(0);
    change_package(|bytes| bytes[1000] ^= 1);
    let _master = master.traced(&["-e", "trace=mount,ioctl,open_tree,move_mount,mount_setattr"]);
    let is_mounted = || {
        let trace = fs::read_to_string("/run/trace").unwrap();
        trace.contains("squashfs") || trace.contains("LOOP_") || trace.contains("overlay")
    };
    assert_eq!(signature_refusal(&request), libc::EKEYREJECTED);
    assert!(!is_mounted());
    change_package(|bytes| bytes[1000] ^= 1);
    assert!(package_starts(&request));
    assert!(is_mounted(), "the trace is of something else");
}

fn what_others_can_write_is_refused() {
    let (_, request) = signed_request();
    let _master = strict_master(0);
    for mode in [0o666, 0o664, 0o646] {
        fs::set_permissions(SIGNED, Permissions::from_mode(mode)).unwrap();
        assert_eq!(signature_refusal(&request), libc::EPERM, "{mode:o}");
    }
    fs::set_permissions(SIGNED, Permissions::from_mode(0o644)).unwrap();
    chown(SIGNED, Some(1000), None).unwrap();
    assert_eq!(signature_refusal(&request), libc::EPERM);
    chown(SIGNED, Some(0), None).unwrap();

    let writer = OpenOptions::new().write(true).open(SIGNED).unwrap();
    assert_eq!(signature_refusal(&request), libc::ETXTBSY);
    drop(writer);
    assert!(package_starts(&request));
}

fn keys_that_cannot_be_trusted() {
    let (_, request) = signed_request();
    let _master = strict_master(0);
    let file = format!("{KEYS}/other.pub");
    let as_it_was = |dir_mode, key_mode| {
        fs::set_permissions(KEYS, Permissions::from_mode(dir_mode)).unwrap();
        fs::set_permissions(
            format!("{KEYS}/trusted.pub"),
            Permissions::from_mode(key_mode),
        )
        .unwrap();
    };
    as_it_was(0o777, 0o644);
    assert_eq!(signature_refusal(&request), libc::EACCES);
    as_it_was(0o755, 0o666);
    assert_eq!(signature_refusal(&request), libc::EACCES);
    as_it_was(0o755, 0o644);
    chown(KEYS, Some(1000), None).unwrap();
    assert_eq!(signature_refusal(&request), libc::EACCES);
    chown(KEYS, Some(0), None).unwrap();

    // The second is the point 0, for which anybody can sign.
    let forgeable = "RWRrZXktaWQhIQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    for text in ["no key\n", forgeable] {
        fs::write(&file, text).unwrap();
        assert_eq!(signature_refusal(&request), libc::EINVAL);
    }
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("trusted.pub", &file).unwrap();
    assert_eq!(signature_refusal(&request), libc::ELOOP);
    fs::remove_file(&file).unwrap();
    for number in 0..16 {
        fs::copy(
            format!("{KEYS}/trusted.pub"),
            format!("{KEYS}/{number}.pub"),
        )
        .unwrap();
    }
    assert_eq!(signature_refusal(&request), libc::E2BIG);
    fs::remove_file(format!("{KEYS}/0.pub")).unwrap();
    fs::write(format!("{KEYS}/README"), "other files do not count").unwrap();
    assert!(package_starts(&request));

    fs::rename(KEYS, "/run/elsewhere").unwrap();
    assert_eq!(signature_refusal(&request), libc::ENOENT);
}

fn a_policy_can_ask_for_signatures() {
    let request = request();
    let signer = Signer::new("trusted", true);
    let free = "socket-mode 0666\n[peer uid=1000]\n";
    let allowed = "package-dir /run\nexec-dir /run/exec\ndata-dir /run/data\noverlay-dir /etc\napp-uid 1-60000\napp-gid 1-60000\n";
    let strict = format!("{free}require-signature yes\n{allowed}");
    fs::write(POLICY, &strict).unwrap();
    let mut command = strict_command(rocker_testing::binary("rocker-master"), 0);
    command.args(["--config", POLICY]);
    // Without --require-signature: the keys are named, and nothing wants them but the policy.
    let arguments: Vec<_> = command.get_args().skip(1).map(ToOwned::to_owned).collect();
    let mut command = std::process::Command::new(rocker_testing::binary("rocker-master"));
    command.args(arguments);
    let master = Master::start_command(command);

    // Whatever else becomes of it.
    let refused_to_user = || {
        as_user(1000, || match launch(&request, &|| 0) {
            Err(failure) if failure.stage == Stage::PACKAGE_SIGNATURE => failure.errno,
            Ok(_) | Err(_) => 0,
        })
    };
    assert_eq!(refused_to_user(), libc::ENODATA);
    assert!(package_starts(&request), "root's section does not say so");
    signer.sign(SIGNED);
    assert_eq!(refused_to_user(), 0);
    master.change_policy(&format!("require-signature yes\n{strict}"));
    assert!(package_starts(&request));
    change_package(|bytes| bytes.truncate(bytes.len() - PAGE));
    assert_eq!(signature_refusal(&request), libc::ENODATA);
}
