//! As much of MQTT 3.1.1 as it takes to load a broker.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How sure a message arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QoS {
    /// Nobody acknowledges anything.
    AtMostOnce = 0,
    /// The receiver of each leg acknowledges.
    AtLeastOnce = 1,
}

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
/// The first byte of a message; its QoS is two bits from bit 1 on.
pub(crate) const PUBLISH: u8 = 0x30;
/// That of an acknowledgement.
pub(crate) const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

/// A client that the broker has accepted.
pub(crate) struct Connection {
    stream: TcpStream,
    /// What was read and not looked at; from `start` on.
    buffer: Vec<u8>,
    start: usize,
}

impl Connection {
    /// Connects under this name, which must be the only one of its kind.
    pub(crate) fn open(port: u16, name: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut connection = Self {
            stream,
            buffer: Vec::new(),
            start: 0,
        };
        // Protocol level 4, a clean session, no keep-alive.
        let mut body = b"\0\x04MQTT\x04\x02\0\0".to_vec();
        put_text(&mut body, name);
        connection.send(&packet(CONNECT, &body))?;
        connection.expect(CONNACK)?;
        Ok(connection)
    }

    /// Hears what is published under this topic.
    pub(crate) fn subscribe(&mut self, topic: &str, qos: QoS) -> Result<()> {
        let mut body = vec![0, 1];
        put_text(&mut body, topic);
        body.push(qos as u8);
        self.send(&packet(SUBSCRIBE, &body))?;
        self.expect(SUBACK)
    }

    /// Sends packets.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next packet must be of this kind.
    fn expect(&mut self, kind: u8) -> Result<()> {
        loop {
            if let Some((found, _)) = self.next() {
                let other = Error::new(ErrorKind::InvalidData, format!("{found:#x}"));
                return if found == kind { Ok(()) } else { Err(other) };
            }
            self.fill()?;
        }
    }

    /// Reads what there is, at least something.
    pub(crate) fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
        }
    }

    /// The next whole packet that was read: its first byte and its body. All of them here are shorter than 128 bytes, so
    /// that the length is one byte.
    pub(crate) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let rest = &self.buffer[self.start..];
        let (&kind, &len) = (rest.first()?, rest.get(1)?);
        let body = rest.get(2..2 + usize::from(len))?.to_vec();
        self.start += 2 + body.len();
        Some((kind, body))
    }
}

/// A packet with this first byte.
pub(crate) fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(body.len()).ok().filter(|len| *len < 128);
    let mut bytes = vec![kind, len.expect("short packets only")];
    bytes.extend(body);
    bytes
}

/// Text, and its length before it.
pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u16).to_be_bytes());
    bytes.extend(text.as_bytes());
}
