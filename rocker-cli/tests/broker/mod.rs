//! `Broker`: mosquitto and its libraries in a package, run as an App by `rocker run`.

use crate::support::{outcome, rocker};
use rocker_pack::Compression;
use rocker_testing::{children_of, eventually, kill, make_dir, package_of, status_of};
use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Who the broker is: nobody that the host knows.
pub const UID: u32 = 2345;

const BROKER: &str = "/usr/sbin/mosquitto";
const PUBLISH: &str = "/usr/bin/mosquitto_pub";
const SUBSCRIBE: &str = "/usr/bin/mosquitto_sub";
const LOG: &str = "/run/broker.log";

/// A broker that serves on a port of 127.0.0.1. It ends with the value.
pub struct Broker {
    command: Child,
    port: u16,
}

impl Broker {
    /// A program that this machine has not got.
    pub fn missing() -> Option<&'static str> {
        [BROKER, PUBLISH, SUBSCRIBE]
            .into_iter()
            .find(|program| !Path::new(program).exists())
    }

    /// Makes the package; gives the port that is written in it.
    pub fn prepare() -> u16 {
        let tree = Path::new("/run/broker.tree");
        make_dir(tree.join("bin"), 0o755);
        make_dir(tree.join("lib"), 0o755);
        fs::copy(BROKER, tree.join("bin/mosquitto")).unwrap();
        for (name, file) in libraries() {
            fs::copy(file, tree.join("lib").join(name)).unwrap();
        }
        // Free now: nobody else in this case takes one.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let text = "allow_anonymous true\npersistence true\npersistence_location /run/state/\nlog_dest stderr\n";
        fs::write(
            tree.join("broker.conf"),
            format!("listener {port} 127.0.0.1\n{text}"),
        )
        .unwrap();
        // Quick to pack; the others take half a minute in a debug build.
        package_of(tree, Path::new("/run/broker.sqfs"), |options| {
            options.compression = Compression::Lz4;
        });
        for dir in ["/run/exec", "/run/data", "/run/state"] {
            make_dir(dir, 0o755);
        }
        port
    }

    /// Packs it, starts it, and waits until it serves.
    pub fn start() -> Self {
        let port = Self::prepare();
        Self::start_at(port)
    }

    fn start_at(port: u16) -> Self {
        let id = UID.to_string();
        let mut command = rocker(&["run", "/run/broker.sqfs", "--uid", &id, "--gid", &id]);
        command.args([
            "--exec-dir",
            "/run/exec",
            "--data-dir",
            "/run/data",
            "--overlay",
            "/run/state",
        ]);
        // The package's own loader, so that no library of the host's comes in.
        let loader = &format!("/run/exec/lib/{}", loader());
        command.args([
            "--",
            loader,
            "--library-path",
            "/run/exec/lib",
            "/run/exec/bin/mosquitto",
        ]);
        command.args(["-c", "/run/exec/broker.conf"]);
        let log = File::options().create(true).append(true).open(LOG).unwrap();
        let mut broker = Self {
            command: command.stderr(log).spawn().unwrap(),
            port,
        };
        eventually("the broker listens", Duration::from_secs(10), || {
            assert!(
                broker.command.try_wait().unwrap().is_none(),
                "{}",
                log_text()
            );
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        // It listens before its main loop runs, and forgets a SIGTERM that comes in between: only an answer says that it
        // is there.
        broker.publish(&["-t", "started", "-n"], "");
        broker
    }

    /// The process id of `rocker run`.
    pub fn pid(&self) -> i32 {
        self.command.id().cast_signed()
    }

    /// The process id of the broker itself.
    pub fn app(&self) -> i32 {
        let children = children_of(self.pid());
        let app = children
            .iter()
            .find(|pid| status_of(**pid, "Name").starts_with("ld-"));
        *app.unwrap_or_else(|| panic!("no broker among {children:?}"))
    }

    /// Publishes, with these lines to be read.
    pub fn publish(&self, options: &[&str], lines: &str) {
        let mut command = self.client(PUBLISH, options);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success(), "{}", log_text());
    }

    /// Subscribes; gives the lines that came.
    pub fn subscribe(&self, options: &[&str], more: &[&str]) -> Vec<String> {
        // -W is its own deadline, in seconds.
        let (status, stdout, stderr) = outcome(
            self.client(SUBSCRIBE, options)
                .args(["-W", "20"])
                .args(more),
        );
        assert_eq!(status, 0, "{stderr}{}", log_text());
        stdout.lines().map(str::to_owned).collect()
    }

    fn client(&self, program: &str, options: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(options);
        command
    }

    /// Ends it by SIGTERM to the command, and starts it again on what it has left.
    pub fn restart(self) -> Self {
        let port = self.port;
        self.end();
        Self::start_at(port)
    }

    /// Ends it by SIGTERM to the command, which it must take well. Gives its log.
    pub fn end(mut self) -> String {
        if self.command.try_wait().unwrap().is_none() {
            kill(self.pid(), libc::SIGTERM);
        }
        assert_eq!(
            self.command.wait().unwrap().code(),
            Some(0),
            "{}",
            log_text()
        );
        log_text()
    }
}

fn log_text() -> String {
    fs::read_to_string(LOG).unwrap_or_default()
}

/// What this architecture's loader is called.
fn loader() -> String {
    let mut names = libraries().into_iter().map(|(name, _)| name);
    names.find(|name| name.starts_with("ld-")).unwrap()
}

/// The libraries of the broker and the loader: what they are called, and where they are.
fn libraries() -> Vec<(String, String)> {
    let (_, listing, _) = outcome(Command::new("ldd").arg(BROKER));
    let file = |line: &str| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
        let called = line.split_whitespace().next()?.rsplit('/').next()?;
        Some((called.to_owned(), path.to_owned()))
    };
    listing.lines().filter_map(file).collect()
}
