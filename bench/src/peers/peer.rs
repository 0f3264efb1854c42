//! `Peer`: somebody else's command.

use crate::peers::{Docker, Site};
use std::path::PathBuf;

/// How a peer is called.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its name in the table, and its program.
    pub name: &'static str,
    /// The programs that it needs besides: all of them are in flash.
    pub programs: &'static [&'static str],
    /// In what it is unlike the others.
    pub remark: &'static str,
    /// Does its App see [`Site::root`] as `/`? If not, the host's.
    pub has_own_root: bool,
    /// Does it leave the App to a helper if it is told to?
    pub detaches: bool,
    /// Takes so long that fewer rounds must do.
    pub is_slow: bool,
    arguments: fn(&Site, &[String]) -> Vec<String>,
}

impl Peer {
    /// Its command line, for this App.
    pub fn arguments(&self, site: &Site, app: &[String]) -> Vec<String> {
        let mut arguments = vec![self.program()];
        arguments.extend((self.arguments)(site, app));
        arguments
    }

    /// The same, but its App goes on when its command has ended, if there is such a way.
    pub fn detached_arguments(&self, site: &Site, app: &[String]) -> Vec<String> {
        let mut arguments = self.arguments(site, app);
        let run = arguments.iter().position(|word| word == "run");
        if let Some(run) = run.filter(|_| self.detaches) {
            arguments.insert(run + 1, "--detach".to_owned());
        }
        arguments
    }

    /// Its program's path, or name if there is none.
    fn program(&self) -> String {
        find(self.programs[0]).map_or(self.programs[0].to_owned(), |path| {
            path.display().to_string()
        })
    }

    /// The program that is missing here, if one is.
    pub fn missing(&self) -> Option<&'static str> {
        let mut programs = self.programs.iter().copied();
        programs.find(|program| find(program).is_none())
    }
}

/// Where a program is, also for those who have no directory of root's in `$PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut files = dirs.map(|dir| dir.join(program));
    files.find(|file| file.is_file())
}

/// All that there are.
pub const PEERS: &[Peer] = &[
    Peer {
        name: "bwrap",
        programs: &["bwrap"],
        remark: "",
        has_own_root: false,
        detaches: false,
        is_slow: false,
        arguments: |_, app| {
            let options = "--unshare-user --uid 1000 --gid 1000 --unshare-pid --unshare-ipc --unshare-uts \
                --bind / / --dev-bind /dev /dev --proc /proc";
            words(options, app)
        },
    },
    Peer {
        name: "unshare",
        programs: &["unshare", "mount", "sh"],
        remark: "flash: with the mount and sh that a script around it needs",
        has_own_root: false,
        detaches: false,
        is_slow: false,
        arguments: |_, app| {
            let options = "--user --map-user=1000 --map-group=1000 --pid --fork --mount --mount-proc --ipc --uts";
            words(options, app)
        },
    },
    Peer {
        name: "minijail0",
        programs: &["minijail0"],
        remark: "",
        has_own_root: false,
        detaches: false,
        is_slow: false,
        arguments: |_, app| {
            let maps = ["-m1000 1000 1", "-M1000 1000 1", "--"].map(str::to_owned);
            [words("-v -p -l --uts -U", &maps), app.to_vec()].concat()
        },
    },
    Peer {
        name: "crun",
        programs: &["crun"],
        remark: "makes no cgroup (--cgroup-manager=disabled)",
        has_own_root: true,
        detaches: false,
        is_slow: false,
        arguments: |site, app| {
            let [state, bundle] = [site.state("crun"), site.bundle(app)];
            let options = format!("--cgroup-manager=disabled --root {state} run -b {bundle} {ID}");
            words(&options, &[])
        },
    },
    Peer {
        name: "runc",
        programs: &["runc"],
        remark: "makes a cgroup; it cannot be told not to",
        has_own_root: true,
        detaches: false,
        is_slow: false,
        arguments: |site, app| {
            let [state, bundle] = [site.state("runc"), site.bundle(app)];
            words(&format!("--root {state} run -b {bundle} {ID}"), &[])
        },
    },
    Peer {
        name: "lxc-execute",
        programs: &["lxc-execute", "init.lxc.static"],
        remark: "makes a cgroup, and runs an init of its own in the sandbox",
        has_own_root: false,
        detaches: false,
        is_slow: false,
        arguments: |site, app| {
            let [state, config] = [site.state("lxc"), site.lxc_config()];
            words(&format!("-P {state} -n {ID} -f {config} --"), app)
        },
    },
    Peer {
        name: "systemd-nspawn",
        programs: &["systemd-nspawn"],
        remark: "registers nowhere (--register=no --keep-unit)",
        has_own_root: true,
        detaches: false,
        is_slow: true,
        arguments: |site, app| {
            let root = site.root().display();
            let options = format!(
                "-q --register=no --keep-unit --private-users=1000:1 --private-users-ownership=off \
                --resolv-conf=off --timezone=off --link-journal=no -D {root}"
            );
            words(&options, app)
        },
    },
    Peer {
        name: "podman",
        programs: &["podman", "conmon", "crun"],
        remark: "with crun, makes no cgroup; --network none",
        has_own_root: true,
        detaches: true,
        is_slow: true,
        arguments: |site, app| {
            let [state, run] = [site.state("podman"), site.state("podman-run")];
            let root = site.root().display();
            let options = format!(
                "--root {state} --runroot {run} --cgroup-manager cgroupfs --events-backend none \
                --storage-driver vfs run --rm --network none --pids-limit=-1 --cgroups=disabled --no-hosts \
                --uidmap 0:1000:1 --gidmap 0:1000:1 --rootfs {root}"
            );
            words(&options, app)
        },
    },
    Peer {
        name: "docker",
        programs: &[
            "docker",
            "dockerd",
            "containerd",
            "containerd-shim-runc-v2",
            "runc",
        ],
        remark: "its daemon makes the mounts, so less than equal: an image of one layer by overlay2, no package, no user \
            namespace; --network none; the daemon runs already",
        has_own_root: true,
        detaches: true,
        is_slow: true,
        arguments: |site, app| {
            let socket = Docker::socket(site);
            let options = format!("-H {socket} run --rm --network none {ID}");
            words(&options, app)
        },
    },
];

/// What a sandbox is called where it must have a name, and docker's image.
pub(super) const ID: &str = "rocker-bench";

fn words(options: &str, app: &[String]) -> Vec<String> {
    let options = options.split_whitespace().map(str::to_owned);
    options.chain(app.iter().cloned()).collect()
}
