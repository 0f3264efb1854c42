//! nginx, which serves files from its package, under wrk.

use crate::app::{App, Reading, first_missing};
use crate::site::{Kind, Site};
use crate::tree::Tree;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SERVER: &str = "/usr/sbin/nginx";
const WRK: &str = "/usr/bin/wrk";

/// The web server.
pub(crate) struct Nginx;

impl App for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn missing(&self) -> Option<&'static str> {
        first_missing(&[SERVER, WRK])
    }

    fn collect(&self, tree: &Tree) {
        tree.program(Path::new(SERVER), "bin/nginx");
        // Text compresses, and so does what a device serves; yet no two blocks are alike.
        let text: String = (0..200_000).map(|line| format!("{line:x} ")).collect();
        tree.file("www/small", &text.as_bytes()[..1 << 10]);
        tree.file("www/large", &text.as_bytes()[..1 << 20]);
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::Outside, Kind::Overlay, Kind::Erofs]
    }

    fn prepare(&self, site: &Site) {
        let (state, port) = (site.state(), site.port);
        let root = site.program("www");
        let text = format!(
            "daemon off; worker_processes 1; pid {state}/pid; error_log stderr warn;
             events {{ worker_connections 256; }}
             http {{
                 access_log {state}/access.log;
                 client_body_temp_path {state}/body; proxy_temp_path {state}/proxy;
                 fastcgi_temp_path {state}/fastcgi; uwsgi_temp_path {state}/uwsgi;
                 scgi_temp_path {state}/scgi;
                 sendfile on; tcp_nopush on; keepalive_requests 1000000;
                 server {{ listen 127.0.0.1:{port}; root {root}; }}
             }}"
        );
        fs::write(site.dir.join("conf"), text).expect("written");
    }

    fn arguments(&self, site: &Site) -> Vec<String> {
        let conf = site.dir.join("conf").display().to_string();
        let words = ["-e", "stderr", "-p", &site.state(), "-c", &conf];
        let words = words.into_iter().map(str::to_owned);
        [site.program("bin/nginx")]
            .into_iter()
            .chain(words)
            .collect()
    }

    fn answers(&self, site: &Site) -> bool {
        let get = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", site.port))?;
            stream.write_all(b"GET /small HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        get().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
    }

    fn loads(&self) -> &'static [&'static str] {
        &["a file of 1 KiB", "a file of 1 MiB"]
    }

    fn drive(&self, load: usize, site: &Site, time: Duration) -> Reading {
        let file = ["small", "large"][load];
        let mut wrk = Command::new(WRK);
        wrk.args(["-t1", "-c16", "--latency"]);
        wrk.arg(format!("-d{}s", time.as_secs()));
        wrk.arg(format!("http://127.0.0.1:{}/{file}", site.port));
        let output = wrk.output().expect("wrk");
        let text = String::from_utf8_lossy(&output.stdout);
        let bad = text.contains("Non-2xx") || text.contains("Socket errors");
        assert!(!bad && output.status.success(), "{text}");
        let rate = value_after(&text, "Requests/sec:").and_then(|word| word.parse().ok());
        let p99 = value_after(&text, "99%").and_then(microseconds);
        Reading {
            rate: rate.unwrap_or_else(|| panic!("{text}")),
            p99: p99.unwrap_or_else(|| panic!("{text}")),
        }
    }

    fn tidy(&self, site: &Site) {
        // The log of the last round, which may be in the upper layer.
        for dir in [site.dir.join("state"), site.data_dir()] {
            let mut find = Command::new("find");
            find.arg(dir).args(["-name", "access.log", "-delete"]);
            assert!(find.status().expect("find").success());
        }
    }
}

/// The word that follows this one in its line.
fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    let rest = lines.find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()
}

/// `1.23ms` as wrk prints it.
fn microseconds(word: &str) -> Option<f64> {
    for (unit, factor) in [("us", 1.0), ("ms", 1e3), ("s", 1e6)] {
        if let Some(number) = word.strip_suffix(unit) {
            return Some(number.parse::<f64>().ok()? * factor);
        }
    }
    None
}
