//! What a client asks for, whatever it is: a request that fits a packet either comes out as it went in, or is refused for
//! one of its fields, never as malformed.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rocker_proto::limits::OVERLAYS_MAX;
use rocker_proto::{Data, DataMode, Network, Request, Seccomp, Stage};
use std::ffi::CString;

#[derive(Debug)]
struct Fields {
    ids: (i32, u32, u32),
    /// Package, exec directory, data directory, policy.
    paths: [CString; 4],
    overlays: [Option<CString>; OVERLAYS_MAX],
    data: (u8, u8, u32),
    seccomp: u8,
    network: u8,
    tied: bool,
    may_trace: bool,
}

/// A path more often than not: letters that mean something to who reads paths.
fn path(bytes: &mut Unstructured<'_>) -> Result<CString> {
    let mut path = Vec::new();
    for _ in 0..bytes.int_in_range(0..=12u8)? {
        path.extend_from_slice(bytes.choose(&[
            &b"/a"[..],
            b"/",
            b"b",
            b".",
            b"/proc",
            b"/dev",
            b"\xff",
            b"\n",
        ])?);
    }
    Ok(CString::new(path).unwrap_or_default())
}

impl<'a> Arbitrary<'a> for Fields {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut overlays = [const { None }; OVERLAYS_MAX];
        for slot in &mut overlays {
            *slot = bytes.ratio(1, 3)?.then(|| path(bytes)).transpose()?;
        }
        Ok(Self {
            ids: bytes.arbitrary()?,
            paths: [path(bytes)?, path(bytes)?, path(bytes)?, path(bytes)?],
            overlays,
            data: bytes.arbitrary()?,
            seccomp: bytes.arbitrary()?,
            network: bytes.arbitrary()?,
            tied: bytes.arbitrary()?,
            may_trace: bytes.arbitrary()?,
        })
    }
}

fuzz_target!(|fields: Fields| {
    let [package, exec_dir, data_dir, policy] = &fields.paths;
    let mut overlays = [None; OVERLAYS_MAX];
    for (slot, overlay) in overlays.iter_mut().zip(&fields.overlays) {
        *slot = overlay.as_deref();
    }
    let (mode, flags, size_kib) = fields.data;
    // The upper two bits of the flags are not the data's.
    let data = Data {
        mode: DataMode::from_raw(mode),
        flags: flags & 0x3f,
        size_kib,
    };
    let request = Request {
        app_id: fields.ids.0,
        uid: fields.ids.1,
        gid: fields.ids.2,
        package,
        exec_dir,
        data_dir,
        overlays,
        data,
        seccomp: Seccomp::from_raw(fields.seccomp),
        policy,
        network: Network::from_raw(fields.network),
        tied: fields.tied,
        may_trace: fields.may_trace,
    };
    let Some(packet) = request.encode() else {
        return;
    };
    match Request::decode(&packet) {
        Ok(decoded) => assert_eq!(decoded, request),
        Err(refusal) => {
            assert_ne!(
                refusal.failure.stage,
                Stage::REQUEST,
                "our own packet is malformed"
            );
            assert_eq!(refusal.app_id, request.app_id);
        }
    }
});
