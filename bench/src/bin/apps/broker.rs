//! mosquitto, the MQTT broker, under clients of our own.

use crate::app::{App, Reading, first_missing};
use crate::exchange::exchange;
use crate::mqtt::{Connection, QoS};
use crate::site::{Kind, Site};
use crate::tree::Tree;
use std::fs;
use std::path::Path;
use std::time::Duration;

const SERVER: &str = "/usr/sbin/mosquitto";

/// How many publishers there are, with a subscriber each.
const PAIRS: usize = 4;

/// The broker.
pub(crate) struct Broker;

impl App for Broker {
    fn name(&self) -> &'static str {
        "mosquitto"
    }

    fn missing(&self) -> Option<&'static str> {
        first_missing(&[SERVER])
    }

    fn collect(&self, tree: &Tree) {
        tree.program(Path::new(SERVER), "bin/mosquitto");
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::Outside, Kind::Overlay, Kind::Erofs]
    }

    fn prepare(&self, site: &Site) {
        let (state, port) = (site.state(), site.port);
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence true\n\
             persistence_location {state}/\nlog_dest stderr\n"
        );
        fs::write(site.dir.join("conf"), text).expect("written");
    }

    fn arguments(&self, site: &Site) -> Vec<String> {
        let conf = site.dir.join("conf").display().to_string();
        vec![site.program("bin/mosquitto"), "-c".to_owned(), conf]
    }

    fn answers(&self, site: &Site) -> bool {
        Connection::open(site.port, "first").is_ok()
    }

    fn loads(&self) -> &'static [&'static str] {
        &["messages, QoS 0", "messages, QoS 1"]
    }

    fn drive(&self, load: usize, site: &Site, time: Duration) -> Reading {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce][load];
        let port = site.port;
        let times: Vec<u32> = std::thread::scope(|scope| {
            let pairs: Vec<_> = (0..PAIRS)
                .map(|pair| scope.spawn(move || exchange(port, pair, qos, time)))
                .collect();
            let times = pairs.into_iter().map(|pair| pair.join().expect("a pair"));
            times.flatten().collect()
        });
        reading(times, time)
    }
}

/// From the microseconds that every message took.
fn reading(mut times: Vec<u32>, time: Duration) -> Reading {
    assert!(!times.is_empty(), "no message came");
    times.sort_unstable();
    Reading {
        rate: times.len() as f64 / time.as_secs_f64(),
        p99: f64::from(times[times.len() * 99 / 100]),
    }
}
