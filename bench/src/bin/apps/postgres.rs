//! PostgreSQL under pgbench.

use crate::app::{App, Reading};
use crate::server::Server;
use crate::site::{Kind, Site};
use crate::tree::Tree;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// pgbench's scale: 16 MB of tables for each.
const SCALE: &str = "10";
/// Where Debian has every version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The database server, and what it is asked for.
pub(crate) struct Postgres {
    name: &'static str,
    loads: &'static [&'static str],
    script: &'static str,
}

impl Postgres {
    /// Everything from shared memory.
    pub(crate) fn reading() -> Self {
        Self {
            name: "postgres-read",
            loads: &["selects"],
            script: "select-only",
        }
    }

    /// A synchronous commit each time.
    pub(crate) fn writing() -> Self {
        Self {
            name: "postgres-write",
            loads: &["transactions like TPC-B"],
            script: "tpcb-like",
        }
    }

    fn pgbench(&self, site: &Site) -> Command {
        let mut command = Command::new(version_dir().expect("installed").join("bin/pgbench"));
        command.args(["-h", &site.meeting_place(), "-p", &site.port.to_string()]);
        command.args(["-U", "nobody"]);
        command
    }
}

impl App for Postgres {
    fn name(&self) -> &'static str {
        self.name
    }

    fn program(&self) -> &'static str {
        "postgres"
    }

    fn missing(&self) -> Option<&'static str> {
        version_dir().is_none().then_some("postgresql")
    }

    fn collect(&self, tree: &Tree) {
        let dir = version_dir().expect("installed");
        // It finds its files by the way from the program to them, so that way stays what it is.
        let home = dir.strip_prefix("/usr").expect("below /usr");
        for program in ["postgres", "initdb"] {
            let to = home.join("bin").join(program);
            tree.program(&dir.join("bin").join(program), &to.display().to_string());
        }
        tree.directory(&dir.join("lib"), &home.join("lib").display().to_string());
        tree.libraries_of(&dir.join("lib/libpqwalreceiver.so"));
        let share = Path::new("share/postgresql").join(dir.file_name().expect("a version"));
        let from = Path::new("/usr").join(&share);
        tree.directory(&from, &share.display().to_string());
        // The compiler for queries would bring LLVM with it, more than all the rest.
        let lib = tree.dir().join(home).join("lib");
        for name in ["bitcode", "pgxs"] {
            fs::remove_dir_all(lib.join(name)).unwrap_or_default();
        }
        for name in ["llvmjit.so", "llvmjit_types.bc"] {
            fs::remove_file(lib.join(name)).unwrap_or_default();
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::Outside, Kind::Overlay, Kind::Direct]
    }

    fn prepare(&self, site: &Site) {
        let database = format!("{}/database", site.state());
        let words = [
            "-D",
            &database,
            "-A",
            "trust",
            "-N",
            "--locale=C",
            "-E",
            "UTF8",
        ];
        let mut arguments = vec![program(site, "initdb")];
        arguments.extend(words.map(str::to_owned));
        let output = site.command(&arguments).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb: {text}");
        let server = Server::start(self, site);
        let mut fill = self.pgbench(site);
        fill.args(["-i", "-q", "-s", SCALE, "postgres"]);
        let output = fill.output().expect("pgbench");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "pgbench -i: {text}");
        server.end();
    }

    fn arguments(&self, site: &Site) -> Vec<String> {
        let mut arguments = vec![program(site, "postgres")];
        let mut put = |option: &str, value: String| {
            arguments.extend([option.to_owned(), value]);
        };
        put("-D", format!("{}/database", site.state()));
        put("-k", site.meeting_place());
        put("-p", site.port.to_string());
        put("-h", String::new());
        for setting in [
            "shared_buffers=256MB",
            // No checkpoint and no autovacuum while load is driven: they would meet one side more than the other.
            "max_wal_size=8GB",
            "checkpoint_timeout=1h",
            "autovacuum=off",
            "jit=off",
        ] {
            put("-c", setting.to_owned());
        }
        arguments
    }

    fn answers(&self, site: &Site) -> bool {
        let path = format!("{}/.s.PGSQL.{}", site.meeting_place(), site.port);
        let greet = || -> std::io::Result<u8> {
            let mut stream = UnixStream::connect(path)?;
            let body = b"\0\x03\0\0user\0nobody\0database\0postgres\0\0";
            stream.write_all(&(body.len() as u32 + 4).to_be_bytes())?;
            stream.write_all(body)?;
            let mut kind = [0];
            stream.read_exact(&mut kind)?;
            Ok(kind[0])
        };
        // `R`: it accepts the user. `E` while it starts up.
        greet().is_ok_and(|kind| kind == b'R')
    }

    fn loads(&self) -> &'static [&'static str] {
        self.loads
    }

    fn drive(&self, _load: usize, site: &Site, time: Duration) -> Reading {
        // In memory, where they cost the same on both sides.
        let logs = Path::new("/run/pgbench");
        fs::create_dir_all(logs).expect("a directory");
        let mut command = self.pgbench(site);
        command.args([
            "-n",
            "-M",
            "prepared",
            "-c",
            "4",
            "-j",
            "1",
            "-b",
            self.script,
        ]);
        command.args(["-T", &time.as_secs().to_string()]);
        command.args(["-l", "--log-prefix=/run/pgbench/log", "postgres"]);
        let output = command.output().expect("pgbench");
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{error}");
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rest| rest.split_whitespace().next());
        let rate = rate.and_then(|word| word.parse().ok());
        let p99 = p99_of(logs);
        fs::remove_dir_all(logs).expect("removed");
        Reading {
            rate: rate.unwrap_or_else(|| panic!("{text}")),
            p99,
        }
    }

    /// Lets nobody finish, but writes everything down.
    fn end_signal(&self) -> i32 {
        libc::SIGINT
    }
}

/// The newest version on this machine.
fn version_dir() -> Option<PathBuf> {
    let entries = fs::read_dir(VERSIONS).ok()?;
    let dirs = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let dirs = dirs.filter(|dir| dir.join("bin/postgres").exists());
    dirs.max_by_key(|dir| dir.file_name()?.to_str()?.parse::<u32>().ok())
}

/// A program in the package.
fn program(site: &Site, name: &str) -> String {
    let dir = version_dir().expect("installed");
    let home = dir.strip_prefix("/usr").expect("below /usr");
    site.program(&home.join("bin").join(name).display().to_string())
}

/// Of the third column of every log: the time that a transaction took, in microseconds.
fn p99_of(logs: &Path) -> f64 {
    let mut times = Vec::new();
    for entry in fs::read_dir(logs).expect("a directory") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a log");
        let words = text.lines().filter_map(|line| line.split(' ').nth(2));
        times.extend(words.filter_map(|word| word.parse::<u32>().ok()));
    }
    assert!(!times.is_empty(), "no transaction was logged");
    times.sort_unstable();
    f64::from(times[times.len() * 99 / 100])
}
