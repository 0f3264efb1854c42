//! `Site`: one way to run an App, with directories and a port of its own.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the directories appear, whatever the path to the checkout is: that may be long, and closed to the App.
pub(crate) const HERE: &str = "/run/apps";

/// Who every App is, inside and outside: nobody, who stands in /etc/passwd, as initdb demands.
pub(crate) const APP_ID: u32 = 65534;

/// How an App is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From the unpacked tree, as a process like any other.
    Outside,
    /// From a squashfs package in a sandbox. What it writes goes through an overlay.
    Overlay,
    /// The same, but nothing is overlaid: it writes to a directory of the host's.
    Direct,
    /// From an erofs package in a sandbox, and through an overlay.
    Erofs,
}

impl Kind {
    /// As the table has it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Overlay => "squashfs, overlay",
            Self::Direct => "squashfs, no overlay",
            Self::Erofs => "erofs, overlay",
        }
    }
}

/// One of the places of an App.
pub(crate) struct Site {
    pub(crate) kind: Kind,
    /// What belongs to this site alone.
    pub(crate) dir: PathBuf,
    /// The unpacked tree.
    pub(crate) tree: PathBuf,
    /// The package; outside it is not used.
    pub(crate) package: PathBuf,
    /// The loader among the libraries.
    pub(crate) loader: String,
    /// Free when the site was made.
    pub(crate) port: u16,
}

impl Site {
    /// A port that nobody listens at now.
    pub(crate) fn free_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    }

    /// Where the App has its files.
    pub(crate) fn program_dir(&self) -> PathBuf {
        match self.kind {
            Kind::Outside => self.tree.clone(),
            _ => self.exec_dir(),
        }
    }

    /// The file of this name in the package or tree, as the App calls it.
    pub(crate) fn program(&self, name: &str) -> String {
        self.program_dir().join(name).display().to_string()
    }

    fn exec_dir(&self) -> PathBuf {
        Path::new(HERE).join("exec")
    }

    /// Where the App may write.
    pub(crate) fn state(&self) -> String {
        self.dir.join("state").display().to_string()
    }

    /// Where the App and whoever talks to it find a socket: no overlay lies over it.
    pub(crate) fn meeting_place(&self) -> String {
        self.dir.join("meeting").display().to_string()
    }

    /// Where the sandbox has its layers.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// A command that runs this program as an App, or outside. The package's own loader starts it, so that no library of the
    /// host's comes in.
    pub(crate) fn command(&self, arguments: &[String]) -> Command {
        let mut command = match self.kind {
            Kind::Outside => Command::new(self.program(&format!("so/{}", self.loader))),
            _ => self.sandbox(),
        };
        command.args(["--library-path", &self.program("so")]);
        command.args(arguments);
        // For what the program itself executes.
        command.env_clear();
        command.env("LD_LIBRARY_PATH", self.program("so"));
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C");
        command.current_dir("/").stdin(Stdio::null());
        if self.kind == Kind::Outside {
            command.uid(APP_ID).gid(APP_ID);
        }
        command
    }

    /// `rocker run`, up to the loader's own arguments.
    fn sandbox(&self) -> Command {
        let mut command = Command::new(rocker_testing::binary("rocker"));
        let id = APP_ID.to_string();
        command.args(["run", "--uid", &id, "--gid", &id, "--exec-dir"]);
        command.arg(self.exec_dir());
        if self.kind == Kind::Direct {
            command.arg("--no-overlays");
        } else {
            command.arg("--data-dir").arg(self.data_dir());
            command.arg("--overlay").arg(self.state());
        }
        command.arg(&self.package);
        command
            .arg("--")
            .arg(self.program(&format!("so/{}", self.loader)));
        command
    }
}
