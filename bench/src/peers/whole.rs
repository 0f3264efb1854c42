//! `Whole`: one command from its start until everything that it made has gone.

use super::{Peer, Site};
use crate::{FLOOR, Launch, forget, wait_until_free, wait_until_unused};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a peer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Package and overlays, which the floor program mounts first.
    Equal,
    /// Neither.
    Plain,
    /// Neither, and what need not stay beside its App does not.
    Detached,
}

/// A command that can be run again and again.
#[derive(Debug)]
pub struct Whole {
    command: Command,
    /// Standard input, opened anew for every run.
    input: PathBuf,
    end: End,
}

/// When everything has gone.
#[derive(Debug)]
enum End {
    /// When the command has ended.
    Command,
    /// When no loop device has this behind it.
    Free(PathBuf),
    /// When the master has seen the last sandbox of it end. Before the next, the master forgets it, or not.
    Unused { package: PathBuf, forget: bool },
}

impl Whole {
    /// A peer that runs `busybox` with this argument.
    pub fn of_peer(peer: &Peer, site: &Site, launch: &Launch, kind: Kind, app: &[&str]) -> Self {
        let launch = if peer.has_own_root {
            site.inside(launch)
        } else {
            launch.clone()
        };
        // docker's daemon does not see what is mounted in front of its client.
        let kind = match kind {
            Kind::Equal if peer.name == "docker" => Kind::Plain,
            _ => kind,
        };
        let busybox = match kind {
            Kind::Equal => launch.exec_dir.join("busybox"),
            Kind::Plain | Kind::Detached => site.root().join("bin/busybox"),
        };
        let seen = match busybox.strip_prefix(site.root()) {
            Ok(inside) if peer.has_own_root => Path::new("/").join(inside),
            _ => busybox,
        };
        let mut words = vec![seen.display().to_string()];
        words.extend(app.iter().map(ToString::to_string));
        let mut arguments = match kind {
            Kind::Detached => peer.detached_arguments(site, &words),
            Kind::Equal | Kind::Plain => peer.arguments(site, &words),
        }
        .into_iter();
        let mut command = Command::new(match kind {
            Kind::Equal => FLOOR.to_owned(),
            Kind::Plain | Kind::Detached => arguments.next().expect("its program"),
        });
        if kind == Kind::Equal {
            command.arg("-w").args(launch.arguments());
        }
        command.args(arguments);
        let end = match kind {
            Kind::Equal => End::Free(launch.package),
            Kind::Plain | Kind::Detached => End::Command,
        };
        Self::new(command, end)
    }

    /// The floor program, for one launch; it waits by itself until everything has gone.
    pub fn of_floor(launch: &Launch) -> Self {
        let mut command = Command::new(FLOOR);
        command.args(launch.arguments());
        let mut this = Self::new(command, End::Command);
        std::fs::create_dir_all(&launch.data_dir).expect("a directory");
        this.input = launch.data_dir.join("letter");
        std::fs::write(&this.input, "e").expect("a file");
        this
    }

    /// `rocker run`, by the master at the usual place.
    pub fn of_rocker(launch: &Launch, app: &[&str]) -> Self {
        std::fs::create_dir_all(&launch.data_dir).expect("a directory");
        let mut command = Command::new(rocker_testing::binary("rocker"));
        command.args(["run", "--uid", "1000", "--gid", "1000"]);
        // As the others that it is compared with.
        command.args(["--seccomp", "off", "--exec-dir"]);
        command
            .arg(&launch.exec_dir)
            .arg("--data-dir")
            .arg(&launch.data_dir);
        for overlay in &launch.overlays {
            command.arg("--overlay").arg(overlay);
        }
        command.arg(&launch.package).arg("--");
        command.arg(launch.exec_dir.join("busybox")).args(app);
        Self::new(
            command,
            End::Unused {
                package: launch.package.clone(),
                forget: launch.is_first_use,
            },
        )
    }

    fn new(mut command: Command, end: End) -> Self {
        command.env("PATH", search_path()).stdout(Stdio::null());
        Self {
            command,
            input: "/dev/null".into(),
            end,
        }
    }

    /// Microseconds from the call until everything has gone.
    ///
    /// # Errors
    /// The App did not succeed: what the command said last.
    pub fn time(&mut self) -> Result<f64, String> {
        let input = File::open(&self.input).map_err(|error| error.to_string())?;
        if let End::Unused {
            package,
            forget: true,
        } = &self.end
        {
            forget(package);
        }
        let command = self.command.stdin(input).stderr(Stdio::null());
        let call = Instant::now();
        let status = command.status().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(self.complaint());
        }
        match &self.end {
            End::Command => {}
            End::Free(package) => wait_until_free(package),
            End::Unused { package, .. } => wait_until_unused(package),
        }
        Ok(call.elapsed().as_secs_f64() * 1e6)
    }

    /// Starts it, for as long as its App runs.
    ///
    /// # Errors
    /// There is no such program.
    pub fn start(&mut self) -> std::io::Result<std::process::Child> {
        self.command.stdin(Stdio::null()).stderr(Stdio::null());
        self.command.spawn()
    }

    /// Runs it once more to hear what is wrong.
    fn complaint(&mut self) -> String {
        let output = self
            .command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output();
        let text = output.map_or_else(
            |error| error.to_string(),
            |output| String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        last.unwrap_or("it failed without a word").to_owned()
    }
}

/// `$PATH`, and where programs of root's are: runtimes start each other by name.
pub(super) fn search_path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}
