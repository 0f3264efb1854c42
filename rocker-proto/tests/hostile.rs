//! What a hostile peer may send: every truncation, every change of one byte, random bytes. Nothing panics, and nothing is
//! accepted that would not encode to the same bytes again.

use rocker_proto::{
    CacheReply, CacheRequest, ExecReply, ExecRequest, Joined, Reply, Report, Request,
};
use std::ffi::CString;

/// A small xorshift generator: the same bytes on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn sample() -> Vec<u8> {
    let mut overlays = [None; 16];
    overlays[0] = Some(c"/etc");
    overlays[15] = Some(c"/var/lib/a b");
    let request = Request {
        app_id: 7,
        uid: 1000,
        gid: 1000,
        package: c"/data/app.sqfs",
        exec_dir: c"/opt/app",
        data_dir: c"/data/app",
        overlays,
        ..Request::DEFAULT
    };
    request.encode().unwrap().to_vec()
}

/// Decodes, and holds an accepted packet to its own encoding.
fn accepts(packet: &[u8]) -> bool {
    match Request::decode(packet) {
        Ok(request) => {
            assert_eq!(request.encode().unwrap().as_slice(), packet);
            true
        }
        Err(_) => false,
    }
}

/// Every byte with every value, and every length.
#[test]
fn cache_messages_are_what_they_encode_to() {
    let reply = CacheReply {
        users: 1,
        idle_ms: 2,
        package: Some(c"/data/app.sqfs"),
    };
    let samples = [
        reply.encode().unwrap().to_vec(),
        CacheRequest::Drop.encode().to_vec(),
    ];
    for sample in samples {
        for at in 0..sample.len() {
            for value in 0..=255 {
                let mut bytes = sample.clone();
                bytes[at] = value;
                for len in [at, bytes.len()] {
                    let bytes = &bytes[..len];
                    if let Some(reply) = CacheReply::decode(bytes) {
                        assert_eq!(reply.encode().unwrap().as_slice(), bytes);
                    }
                    if let Some(request) = CacheRequest::decode(bytes) {
                        assert_eq!(request.encode(), bytes);
                    }
                }
            }
        }
    }
}

#[test]
fn exec_messages_are_what_they_encode_to() {
    let name = *b"rk0123456abcdef\0";
    let request = ExecRequest { name }.encode();
    let reply = ExecReply { uid: 1, gid: 2 }.encode();
    for at in 0..request.len() {
        for value in 0..=255 {
            let mut bytes = request;
            bytes[at] = value;
            for len in [at, bytes.len()] {
                if let Some(request) = ExecRequest::decode(&bytes[..len]) {
                    assert_eq!(request.encode(), bytes);
                }
            }
        }
    }
    for at in 0..reply.len() {
        for value in 0..=255 {
            let mut bytes = reply;
            bytes[at] = value;
            if let Some(reply) = ExecReply::decode(&bytes) {
                assert_eq!(reply.encode(), bytes);
            }
        }
    }
    // Root is nobody's App, and -1 nobody at all.
    for (uid, gid) in [(0, 1), (1, 0), (u32::MAX, 1), (1, u32::MAX)] {
        assert_eq!(ExecReply::decode(&ExecReply { uid, gid }.encode()), None);
    }
}

#[test]
fn decode_refuses_every_truncation() {
    let packet = sample();
    assert!(accepts(&packet));
    for len in 0..packet.len() {
        assert!(!accepts(&packet[..len]), "{len} bytes were accepted");
    }
    let mut longer = packet;
    longer.push(0);
    assert!(!accepts(&longer));
}

#[test]
fn decode_survives_every_change_of_one_byte() {
    let packet = sample();
    let mut accepted = 0;
    for position in 0..packet.len() {
        for value in 0..=255 {
            let mut changed = packet.clone();
            changed[position] = value;
            accepted += usize::from(accepts(&changed));
        }
    }
    // Ids and the letters of paths may change; magic, version, lengths and terminators may not.
    assert!(
        accepted > packet.len() && accepted < packet.len() * 256 / 2,
        "{accepted} accepted"
    );
}

#[test]
fn decode_survives_random_bytes() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let good = sample();
    for round in 0..200_000 {
        let len = usize::try_from(random.next() % 200).unwrap();
        let mut bytes: Vec<u8> = (0..len).map(|_| random.next().to_le_bytes()[0]).collect();
        // Every other one starts like a real one, to get past the magic.
        if round % 2 == 0 {
            let head = len.min(8);
            bytes[..head].copy_from_slice(&good[..head]);
            if len >= 8 {
                bytes[6..8].copy_from_slice(&u16::try_from(len).unwrap().to_le_bytes());
            }
        }
        accepts(&bytes);
        Reply::decode(&bytes);
        Report::decode(&bytes);
        Joined::decode(&bytes);
    }
}

#[test]
fn encode_says_when_it_does_not_fit() {
    let long = CString::new(format!("/{}", "x".repeat(4095))).unwrap();
    let mut request = Request {
        app_id: 1,
        uid: 1,
        gid: 1,
        package: &long,
        exec_dir: c"/e",
        data_dir: c"/d",
        ..Request::DEFAULT
    };
    assert_eq!(request.encode(), None);
    let fits = CString::new(format!("/{}", "x".repeat(4096 - 68 - 6 - 2))).unwrap();
    request.package = &fits;
    assert_eq!(request.encode().unwrap().len(), 4096);
}
