//! `exchange`: messages from a publisher through the broker to a subscriber, as fast as they get there.

use crate::mqtt::{Connection, PUBACK, PUBLISH, QoS, packet, put_text};
use std::io::{Error, ErrorKind, Result};
use std::time::{Duration, Instant};

/// Messages on their way at the same time, per pair: below the broker's own limit of 20, above which it queues.
const WINDOW: usize = 16;
/// Bytes of a message, of which the first are the time it left.
const PAYLOAD: usize = 64;

/// One publisher and one subscriber; gives the microseconds that each message took from one to the other.
pub(crate) fn exchange(port: u16, pair: usize, qos: QoS, time: Duration) -> Vec<u32> {
    let run = || -> Result<Vec<u32>> {
        let topic = format!("load/{pair}");
        let mut reader = Connection::open(port, &format!("reader {pair}"))?;
        reader.subscribe(&topic, qos)?;
        let writer = Connection::open(port, &format!("writer {pair}"))?;
        let begin = Instant::now();
        let pair = Pair {
            reader,
            writer,
            topic,
            qos,
            begin,
            under_way: 0,
            unacknowledged: 0,
            next_id: 0,
            times: Vec::new(),
        };
        pair.run(time)
    };
    run().expect("the broker serves")
}

/// The two, as one thread serves them.
struct Pair {
    reader: Connection,
    writer: Connection,
    topic: String,
    qos: QoS,
    begin: Instant,
    under_way: usize,
    unacknowledged: usize,
    next_id: u16,
    times: Vec<u32>,
}

impl Pair {
    fn run(mut self, time: Duration) -> Result<Vec<u32>> {
        while self.begin.elapsed() < time {
            self.publish()?;
            self.receive()?;
            while self.unacknowledged >= WINDOW {
                self.take_acknowledgements()?;
            }
        }
        // What comes later does not count, but must not come to the next who hears this topic.
        let counted = self.times.len();
        while self.under_way > 0 {
            self.receive()?;
        }
        self.times.truncate(counted);
        Ok(self.times)
    }

    /// Fills the window.
    fn publish(&mut self) -> Result<()> {
        let mut bytes = Vec::new();
        while self.under_way < WINDOW && self.unacknowledged < WINDOW {
            let mut body = Vec::with_capacity(PAYLOAD + 32);
            put_text(&mut body, &self.topic);
            if self.qos == QoS::AtLeastOnce {
                // 1 to 65535, over and over.
                self.next_id = self.next_id % u16::MAX + 1;
                body.extend(self.next_id.to_be_bytes());
                self.unacknowledged += 1;
            }
            let now = self.begin.elapsed().as_micros() as u64;
            body.extend(now.to_le_bytes());
            body.resize(body.len() + PAYLOAD - 8, b'.');
            bytes.extend(packet(PUBLISH | (self.qos as u8) << 1, &body));
            self.under_way += 1;
        }
        self.writer.send(&bytes)
    }

    /// Takes what has come, at least one message, and acknowledges it.
    fn receive(&mut self) -> Result<()> {
        self.reader.fill()?;
        let mut acknowledgements = Vec::new();
        while let Some((kind, body)) = self.reader.next() {
            if kind & 0xf0 != PUBLISH {
                return Err(Error::new(ErrorKind::InvalidData, format!("{kind:#x}")));
            }
            let mut rest = &body[2 + self.topic.len()..];
            if kind >> 1 & 3 == 1 {
                acknowledgements.extend(packet(PUBACK, &rest[..2]));
                rest = &rest[2..];
            }
            let sent = u64::from_le_bytes(rest[..8].try_into().expect("eight bytes"));
            let took = self.begin.elapsed().as_micros() as u64 - sent;
            self.times.push(took as u32);
            self.under_way -= 1;
        }
        self.reader.send(&acknowledgements)
    }

    fn take_acknowledgements(&mut self) -> Result<()> {
        self.writer.fill()?;
        while let Some((kind, _)) = self.writer.next() {
            if kind != PUBACK {
                return Err(Error::new(ErrorKind::InvalidData, format!("{kind:#x}")));
            }
            self.unacknowledged -= 1;
        }
        Ok(())
    }
}
