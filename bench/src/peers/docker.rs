//! `Docker`: a daemon of the run's own, which knows nothing of any other on the machine.

use super::peer::{ID, find};
use crate::peers::Site;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running dockerd with an image. It ends with the value.
#[derive(Debug)]
pub struct Docker {
    daemon: Child,
}

impl Docker {
    /// Starts it and makes the image from [`Site::root`]; what is wrong, if it cannot.
    pub fn start(site: &Site) -> Result<Self, String> {
        let state = site.state("docker");
        let log = Path::new(&state).join("log");
        let output = File::create(&log).map_err(|error| error.to_string())?;
        let mut command = Command::new(find("dockerd").ok_or("no dockerd")?);
        command
            .args(["--host", &Self::socket(site), "--bridge", "none"])
            .args(["--iptables=false", "--ip6tables=false"]);
        for (option, name) in [
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "pid"),
        ] {
            command.arg(option).arg(Path::new(&state).join(name));
        }
        command.env("PATH", super::whole::search_path());
        let daemon = command.stdin(Stdio::null()).stdout(Stdio::null());
        let daemon = daemon.stderr(output).spawn();
        let mut this = Self {
            daemon: daemon.map_err(|error| error.to_string())?,
        };
        this.wait_until_it_answers(site)?;
        this.make_image(site)?;
        Ok(this)
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.daemon.id().cast_signed()
    }

    /// Where it listens.
    pub(super) fn socket(site: &Site) -> String {
        format!("unix://{}/socket", site.state("docker"))
    }

    fn client(site: &Site) -> Command {
        let mut command = Command::new("docker");
        command.args(["-H", &Self::socket(site)]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null());
        command
    }

    fn wait_until_it_answers(&mut self, site: &Site) -> Result<(), String> {
        let limit = Instant::now() + Duration::from_secs(20);
        while !Self::client(site)
            .arg("version")
            .status()
            .is_ok_and(|status| status.success())
        {
            if let Ok(Some(status)) = self.daemon.try_wait() {
                return Err(format!("dockerd ended: {status}"));
            }
            if Instant::now() > limit {
                return Err("dockerd does not answer".to_owned());
            }
        }
        Ok(())
    }

    fn make_image(&self, site: &Site) -> Result<(), String> {
        let archive = format!("{}/image.tar", site.state("docker"));
        let tar = Command::new("tar")
            .arg("-C")
            .arg(site.root())
            .args(["-cf", &archive, "bin", "tmp"])
            .status();
        let import = Self::client(site).args(["import", &archive, ID]).status();
        let worked = [tar, import].map(|status| status.is_ok_and(|status| status.success()));
        (worked == [true, true])
            .then_some(())
            .ok_or_else(|| "no image could be made".to_owned())
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // SAFETY: a child that has not been waited for. It ends its containerd.
        unsafe { libc::kill(self.pid(), libc::SIGTERM) };
        self.daemon.wait().expect("a child");
    }
}
