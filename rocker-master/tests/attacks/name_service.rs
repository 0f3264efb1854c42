//! An AppMaster's function that asks the C library for a user's name, in a sandbox where the App has chosen who answers.

use crate::entry::{Entry, Step, enter};
use rocker_client::Request;
use rocker_testing::{
    Master, make_dir, package_of, request, wait_for, with_overlays, with_package,
};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

/// Loaded by `getpwnam` from the App's `/usr/lib`, it leaves a file and empties one of root's.
const LIBRARY: &str = r#"
#include <fcntl.h>
__attribute__((constructor)) static void loaded(void) {
    open("/etc/loaded", O_CREAT | O_WRONLY, 0600);
    open("/run/root-s/file", O_WRONLY | O_TRUNC);
}
"#;

fn make_package() {
    make_dir("/run/tree", 0o755);
    fs::write("/run/evil.c", LIBRARY).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built = Command::new(compiler)
        .env("TMPDIR", "/run")
        .args([
            "-shared",
            "-fPIC",
            "-o",
            "/run/tree/libnss_evil.so.2",
            "/run/evil.c",
        ])
        .status();
    assert!(built.unwrap().success());
    package_of(Path::new("/run/tree"), Path::new("/run/evil.sqfs"), |_| {});
}

fn make_root_s_file() {
    make_dir("/run/root-s", 0o755);
    fs::write("/run/root-s/file", "as it was").unwrap();
    fs::set_permissions("/run/root-s/file", PermissionsExt::from_mode(0o600)).unwrap();
}

/// The App of the first launch: its own name service from now on.
fn plant() -> i32 {
    fs::copy("/run/exec/libnss_evil.so.2", "/usr/lib/libnss_evil.so.2").unwrap();
    fs::remove_file("/etc/nsswitch.conf").unwrap_or_default();
    fs::write("/etc/nsswitch.conf", "passwd: evil\n").unwrap();
    0
}

/// The second launch: an AppMaster's function asks for a user. Gives who the library ran as, if it left its file.
fn ask_for_a_user(request: &Request<'_>, entry: Entry) -> Option<u32> {
    let app = || {
        // SAFETY: a string that outlives the call; the process has one thread.
        unsafe { libc::getpwnam(c"whoever".as_ptr()) };
        0
    };
    assert_eq!(wait_for(enter(request, entry, &app).app_pid), 0);
    let left = fs::metadata("/run/data/.rocker/etc/upper/loaded");
    left.ok().map(|left| left.uid())
}

/// CVE-2019-14271: nothing of the C library runs between the entry into the sandbox and the loss of the last privilege.
pub fn s06_library_of_the_name_service() {
    make_package();
    make_root_s_file();
    let plain = request();
    let plain = with_package(&plain, c"/run/evil.sqfs");
    let request = with_overlays(&plain, &[c"/etc", c"/usr/lib"]);
    let _master = Master::start();
    assert_eq!(wait_for(enter(&request, Entry::Library, &plant).app_pid), 0);

    assert_eq!(ask_for_a_user(&request, Entry::Library), Some(1000));
    let content = || fs::read_to_string("/run/root-s/file").unwrap();
    assert_eq!(content(), "as it was");

    ask_for_a_user(&request, Entry::Forgetting(Step::Identity));
    assert_eq!(content(), "", "the control");
}
