//! `Site`: what peers find on the disk.

use crate::{Launch, World, peers::bundle};
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// Directories and configurations for peers, below the world's directory.
#[derive(Debug)]
pub struct Site {
    dir: PathBuf,
    root: PathBuf,
}

/// Overlaid directories of a launch.
const OVERLAYS: usize = 3;

impl Site {
    /// Makes them: a root with a static busybox, which belongs to the one id that is mapped.
    pub fn make(world: &World) -> Self {
        let dir = world.disk().join("peers");
        let root = dir.join("root");
        let fixed = [
            "proc", "dev", "sys", "run", "tmp", "etc", "usr", "bin", "exec",
        ];
        let overlaid = (0..OVERLAYS).map(|number| number.to_string());
        for name in fixed.map(str::to_owned).into_iter().chain(overlaid) {
            let path = root.join(name);
            fs::create_dir_all(&path).expect("a directory");
            chown(&path, Some(1000), Some(1000)).expect("root may");
        }
        chown(&root, Some(1000), Some(1000)).expect("root may");
        // Without it systemd-nspawn takes the tree for no system.
        fs::write(root.join("etc/os-release"), "").expect("a file");
        let busybox = world.disk().join("tree/busybox");
        fs::copy(busybox, root.join("bin/busybox")).expect("a copy");
        Self { dir, root }
    }

    /// What peers that change their root see as `/`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The same launch with its package and its overlays below [`Site::root`].
    pub fn inside(&self, launch: &Launch) -> Launch {
        launch.clone().with(|launch| {
            launch.exec_dir = self.root.join("exec");
            let numbers = 0..launch.overlays.len().min(OVERLAYS);
            let dirs = numbers.map(|number| self.root.join(number.to_string()));
            launch.overlays = dirs.collect();
            launch.data_dir.set_extension("root");
        })
    }

    /// A directory for what a peer keeps.
    pub(super) fn state(&self, name: &str) -> String {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).expect("a directory");
        dir.display().to_string()
    }

    /// An OCI bundle for this App: its `config.json`, and [`Site::root`].
    pub(super) fn bundle(&self, app: &[String]) -> String {
        let name: String = app.join("-").replace('/', "_");
        let dir = self.state(&format!("bundle{name}"));
        let text = bundle::config(&self.root, app);
        fs::write(Path::new(&dir).join("config.json"), text).expect("a file");
        dir
    }

    /// A configuration of lxc's.
    pub(super) fn lxc_config(&self) -> String {
        let file = self.dir.join("lxc.conf");
        let lines = [
            "lxc.uts.name = rocker-bench",
            "lxc.net.0.type = none",
            "lxc.mount.auto = proc:rw",
            "lxc.console.path = none",
            "lxc.pty.max = 0",
            "lxc.idmap = u 0 1000 1",
            "lxc.idmap = g 0 1000 1",
            "lxc.no_new_privs = 1",
            "lxc.apparmor.profile = unconfined",
        ];
        fs::write(&file, lines.join("\n") + "\n").expect("a file");
        file.display().to_string()
    }
}
