//! Overlays: what the App may change without the host's seeing it.

use rocker_client::{Failure, Request, Stage};
use rocker_testing::{
    Case, Master, Sandbox, ask, c_path, errno_of, launch, make_dir, mount, mount_at, mounts,
    overlays, package, pipe, request, run_cases_on_both_kernels, wait_for,
};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases_on_both_kernels(CASES)
}

const CASES: &[Case] = &[
    (
        "package_in_an_overlaid_directory_is_visible",
        package_in_an_overlaid_directory_is_visible,
    ),
    (
        "writes_stay_in_the_upper_layer",
        writes_stay_in_the_upper_layer,
    ),
    (
        "the_next_launch_finds_the_changes",
        the_next_launch_finds_the_changes,
    ),
    (
        "the_app_cannot_reach_its_layers",
        the_app_cannot_reach_its_layers,
    ),
    (
        "overlays_are_nosuid_and_nodev",
        overlays_are_nosuid_and_nodev,
    ),
    (
        "two_sandboxes_of_one_app_can_both_write",
        two_sandboxes_of_one_app_can_both_write,
    ),
    (
        "data_dir_on_an_overlay_is_refused",
        data_dir_on_an_overlay_is_refused,
    ),
    (
        "nested_overlays_work_in_either_order",
        nested_overlays_work_in_either_order,
    ),
    (
        "an_overlay_through_root_s_symlink_is_mounted",
        an_overlay_through_root_s_symlink_is_mounted,
    ),
    (
        "no_overlay_means_every_top_level_directory",
        no_overlay_means_every_top_level_directory,
    ),
    ("sixteen_overlays_work", sixteen_overlays_work),
];

/// Exec dir and data dir in one directory, which is overlaid: the layout of the README.
fn nested_request() -> Request<'static> {
    package();
    make_dir("/run/var/app/exec", 0o755);
    make_dir("/run/var/app/data", 0o755);
    Request {
        exec_dir: c"/run/var/app/exec",
        data_dir: c"/run/var/app/data",
        overlays: overlays(&[c"/run/var"]),
        ..request()
    }
}

fn package_in_an_overlaid_directory_is_visible() {
    let request = nested_request();
    let _master = Master::start();
    let text = ask(&request, &|| {
        fs::write("/run/var/changed", "x").unwrap();
        fs::read_to_string("/run/var/app/exec/hello").unwrap()
    });
    assert_eq!(text, "hello from the package\n");
    assert!(!Path::new("/run/var/changed").exists());
}

fn writes_stay_in_the_upper_layer() {
    let request = nested_request();
    fs::write("/run/var/file", "host").unwrap();
    std::os::unix::fs::chown("/run/var/file", Some(1000), Some(1000)).unwrap();
    let _master = Master::start();
    ask(&request, &|| {
        fs::write("/run/var/file", "app").unwrap();
        fs::create_dir("/run/var/dir").unwrap();
        fs::write("/run/var/dir/new", "app").unwrap();
        fs::read_to_string("/run/var/file").unwrap()
    });
    assert_eq!(fs::read_to_string("/run/var/file").unwrap(), "host");
    assert!(!Path::new("/run/var/dir").exists());
    let upper = Path::new("/run/var/app/data/.rocker/run+var/upper");
    assert_eq!(fs::read_to_string(upper.join("file")).unwrap(), "app");
    assert_eq!(fs::read_to_string(upper.join("dir/new")).unwrap(), "app");
}

fn the_next_launch_finds_the_changes() {
    let request = nested_request();
    fs::write("/run/var/doomed", "host").unwrap();
    let _master = Master::start();
    ask(&request, &|| {
        fs::write("/run/var/kept", "first launch").unwrap();
        fs::remove_file("/run/var/doomed").unwrap();
        String::new()
    });
    let second = ask(&request, &|| {
        assert!(!Path::new("/run/var/doomed").exists());
        fs::read_to_string("/run/var/kept").unwrap()
    });
    assert_eq!(second, "first launch");
    assert!(Path::new("/run/var/doomed").exists());
}

fn the_app_cannot_reach_its_layers() {
    let request = nested_request();
    let _master = Master::start();
    let errors = ask(&request, &|| {
        let store = "/run/var/app/data/.rocker";
        let below = format!("{store}/run+var/upper");
        let errors = [
            errno_of(fs::read_dir(store)),
            errno_of(fs::read_dir(below)),
            errno_of(fs::rename(store, "/run/var/app/data/moved")),
        ];
        format!("{errors:?}")
    });
    // Overlayfs shows its own layers as ELOOP entries; the others fail for want of permission on the way there.
    let errors: Vec<_> = errors.split(", ").collect();
    for error in &errors {
        assert!(error.contains("Some("), "{errors:?}");
    }
    let store = fs::metadata("/run/var/app/data/.rocker").unwrap();
    assert_eq!((store.uid(), store.mode() & 0o777), (0, 0o700));
    let layer = fs::metadata("/run/var/app/data/.rocker/run+var").unwrap();
    assert_eq!((layer.uid(), layer.mode() & 0o777), (0, 0o700));
}

fn overlays_are_nosuid_and_nodev() {
    let request = nested_request();
    let _master = Master::start();
    let seen = ask(&request, &|| {
        let line = mount_at("/run/var").unwrap();
        format!("{} {}", line.fs_type, line.options.join(" "))
    });
    assert!(
        seen.starts_with("overlay ") && seen.contains(" nosuid nodev"),
        "{seen}"
    );
}

/// Overlayfs empties its work directory at each mount, and needs what it keeps there to delete and to make directories.
fn two_sandboxes_of_one_app_can_both_write() {
    let request = nested_request();
    make_dir("/run/var/dir", 0o755);
    fs::write("/run/var/doomed", "host").unwrap();
    std::os::unix::fs::chown("/run/var/dir", Some(1000), Some(1000)).unwrap();
    let _master = Master::start();
    let (held, mut go_on) = pipe();
    let first = launch(&request, &|| {
        (&held).read_exact(&mut [0]).unwrap();
        fs::remove_file("/run/var/doomed").unwrap();
        fs::create_dir("/run/var/dir/new").unwrap();
        0
    });
    let second = Sandbox::start(&request);
    go_on.write_all(b".").unwrap();
    assert_eq!(wait_for(first.unwrap().app_pid), 0);
    second.end();
}

fn data_dir_on_an_overlay_is_refused() {
    for dir in [
        "/run/o/lower",
        "/run/o/upper",
        "/run/o/work",
        "/run/o/merged",
    ] {
        make_dir(dir, 0o755);
    }
    let data = "lowerdir=/run/o/lower,upperdir=/run/o/upper,workdir=/run/o/work";
    mount("overlay", "/run/o/merged", "overlay", 0, data).unwrap();
    make_dir("/run/o/merged/data", 0o755);
    let _master = Master::start();
    let request = Request {
        data_dir: c"/run/o/merged/data",
        ..request()
    };
    let failure = launch(&request, &|| 0).unwrap_err();
    assert_eq!(failure, Failure::new(Stage::LAYER_FS, libc::EINVAL));
}

fn nested_overlays_work_in_either_order() {
    let plain = request();
    make_dir("/run/a/b", 0o755);
    fs::write("/run/a/b/host", "host").unwrap();
    let _master = Master::start();
    for order in [[c"/run/a", c"/run/a/b"], [c"/run/a/b", c"/run/a"]] {
        let request = Request {
            overlays: overlays(&order),
            ..plain
        };
        let text = ask(&request, &|| {
            fs::write("/run/a/outer", "x").unwrap();
            fs::write("/run/a/b/inner", "x").unwrap();
            fs::read_to_string("/run/a/b/host").unwrap()
        });
        assert_eq!(text, "host");
        let store = Path::new("/run/data/.rocker");
        assert!(store.join("run+a/upper/outer").exists());
        assert!(store.join("run+a+b/upper/inner").exists());
        assert!(!store.join("run+a/upper/b/inner").exists());
        fs::remove_dir_all(store).unwrap();
    }
    assert!(!Path::new("/run/a/outer").exists() && !Path::new("/run/a/b/inner").exists());
}

fn an_overlay_through_root_s_symlink_is_mounted() {
    make_dir("/run/real/dir", 0o755);
    symlink("real", "/run/link").unwrap();
    let _master = Master::start();
    let request = Request {
        overlays: overlays(&[c"/run/link/dir"]),
        ..request()
    };
    let point = ask(&request, &|| {
        fs::write("/run/real/dir/new", "x").unwrap();
        mount_at("/run/real/dir").unwrap().fs_type
    });
    assert_eq!(point, "overlay");
    assert!(!Path::new("/run/real/dir/new").exists());
}

fn no_overlay_means_every_top_level_directory() {
    let request = Request {
        overlays: [None; 16],
        ..request()
    };
    let entries = fs::read_dir("/").unwrap().map(|entry| entry.unwrap());
    let expected: BTreeSet<String> = entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.path().display().to_string())
        .filter(|path| !["/proc", "/sys", "/dev", "/run"].contains(&path.as_str()))
        .collect();
    let _master = Master::start();
    let seen = ask(&request, &|| {
        let overlays = mounts()
            .into_iter()
            .filter(|line| line.fs_type == "overlay");
        let points = overlays.map(|line| String::from_utf8(line.point).unwrap());
        points.collect::<Vec<_>>().join("\n")
    });
    let seen: BTreeSet<String> = seen.lines().map(str::to_owned).collect();
    assert_eq!(seen, expected);
}

fn sixteen_overlays_work() {
    let paths: Vec<_> = (0..16).map(|number| format!("/run/o{number}")).collect();
    paths.iter().for_each(|path| make_dir(path, 0o755));
    let names: Vec<_> = paths.iter().map(c_path).collect();
    let names: Vec<_> = names.iter().map(|name| name.as_c_str()).collect();
    let request = Request {
        overlays: overlays(&names),
        ..request()
    };
    let _master = Master::start();
    ask(&request, &|| {
        for path in &paths {
            fs::write(format!("{path}/new"), "x").unwrap();
        }
        String::new()
    });
    for path in &paths {
        assert!(!Path::new(path).join("new").exists());
    }
}
